// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** A buffered stream whose owner closes what it writes to. */
final class Unclosed extends BufferedOutputStream {

    private static final int BUFFER_BYTES = 1 << 16;

    Unclosed(OutputStream out) {
        super(out, BUFFER_BYTES);
    }

    @Override
    public void close() throws IOException {
        flush();
    }
}
