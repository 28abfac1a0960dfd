// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import org.dl4jquant.cuda.driver.CudaException;

/**
 * What has to be given back, the last first. Whatever goes wrong on the way, the rest is given back
 * as well; the first error is thrown at the end.
 */
final class Resources implements AutoCloseable {

    private final Deque<Runnable> giveBack = new ArrayDeque<>();

    /** Adds something that was just taken. */
    void add(Runnable how) {
        giveBack.push(how);
    }

    @Override
    public void close() {
        CudaException first = null;
        while (!giveBack.isEmpty()) {
            try {
                giveBack.pop().run();
            } catch (CudaException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
