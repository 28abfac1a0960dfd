// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import org.dl4jquant.check.Require;

/**
 * How ONNX Runtime is to run a graph. No option changes a result.
 *
 * @param threads how many threads one run may use, 1 or more. With 1, nothing is started and the
 *     calling thread computes; servers run many calls side by side and want that. More help single
 *     large batches
 */
public record OnnxRuntimeOptions(int threads) {

    /** One thread. */
    public static final OnnxRuntimeOptions DEFAULT = new OnnxRuntimeOptions(1);

    /** Checks the number of threads. */
    public OnnxRuntimeOptions {
        Require.argument(threads >= 1, "%d threads; there must be at least 1", threads);
    }
}
