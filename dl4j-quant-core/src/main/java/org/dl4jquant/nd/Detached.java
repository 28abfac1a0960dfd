// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import java.util.function.Supplier;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs code whose new INDArrays belong to no workspace, so that they neither fill DL4J's workspaces
 * nor become invalid when one of them ends.
 */
public final class Detached {

    private Detached() {}

    /**
     * Runs something outside of all workspaces.
     *
     * @param action the action to run
     */
    public static void run(Runnable action) {
        MemoryWorkspace outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
        try {
            action.run();
        } finally {
            outside.close();
        }
    }

    /**
     * Computes something outside of all workspaces.
     *
     * @param <T> the type of the result
     * @param computation the computation to run
     * @return its result
     */
    public static <T> T compute(Supplier<T> computation) {
        MemoryWorkspace outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
        try {
            return computation.get();
        } finally {
            outside.close();
        }
    }
}
