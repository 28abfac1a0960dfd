// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.ExponentTable;
import org.dl4jquant.numeric.QuantParams;

/** The kernels of products of two tensors of codes. */
public final class MatrixKernels {

    private static final int THREADS = 256;
    private static final int LANES = 32;

    private MatrixKernels() {}

    /**
     * The codes of one factor or of a result.
     *
     * @param layout where they lie, counted by channel, row and column; their pitch is a multiple
     *     of 16
     * @param params how they stand for values
     */
    public record Codes(ImageLayout layout, QuantParams params) {}

    /**
     * The sizes of a product.
     *
     * @param rows rows of each matrix of the left factor
     * @param inner its columns, and the rows of the right factor's
     * @param columns columns of each matrix of the right factor
     */
    public record Sizes(int rows, int inner, int columns) {}

    /**
     * {@return the kernel of a product; its arguments: left codes, right codes, codes}
     *
     * @param left the left factor
     * @param right the right factor
     * @param sizes the sizes of its matrices
     * @param to where the codes go
     * @param output how they stand for values
     */
    public static KernelSpec product(
            Codes left, Codes right, Sizes sizes, ImageLayout to, Output.Codes output) {
        float multiplier = output.multiplier(left.params().scale(), right.params().scale());
        Constants constants =
                factors(left, right, sizes, to, output.params()).put("MULTIPLIER", multiplier);
        ElementKernels.bounds(constants, output.bounds(), -output.params().zeroPoint());
        return ElementKernels.kernel(
                "matmul.cu",
                constants,
                ElementKernels.pixels(to) * ElementKernels.over(to.channels(), ImageLayout.CHUNK),
                0);
    }

    /**
     * {@return the kernel of an attention's weights; its arguments: queries, keys, the table of
     * powers, codes}
     *
     * @param queries the left factor
     * @param keys the right factor
     * @param sizes the sizes of its matrices
     * @param steps steps of the table per unit of a product
     * @param result where the codes go, and how they stand for values
     */
    public static KernelSpec weights(
            Codes queries, Codes keys, Sizes sizes, float steps, Codes result) {
        ImageLayout to = result.layout();
        QuantParams params = result.params();
        long rows = ElementKernels.pixels(to) * to.channels() / sizes.columns();
        Constants constants =
                factors(queries, keys, sizes, to, params)
                        .put("ALL_ROWS", rows)
                        .put("STEPS", steps)
                        .put("LAST", ExponentTable.SIZE - 1f)
                        .put("SCALE", params.scale());
        ElementKernels.bounds(constants, params.range(), -params.zeroPoint());
        Launch launch = new Launch(rows, THREADS / LANES, 1, THREADS, 0);
        return new KernelSpec("attention_weights.cu", constants.toMap(), launch, 1);
    }

    private static Constants factors(
            Codes left, Codes right, Sizes sizes, ImageLayout to, QuantParams params) {
        Require.argument(
                to.pitch() % ImageLayout.CHUNK == 0,
                "a pitch of %d bytes; a multiple of 16 is allowed",
                to.pitch());
        return new Constants()
                .put("ROWS", sizes.rows())
                .put("INNER", sizes.inner())
                .put("COLUMNS", sizes.columns())
                .put("LEFT_PIXELS", ElementKernels.pixels(left.layout()))
                .put("LEFT_PITCH", left.layout().pitch())
                .put("LEFT_ZERO", left.params().zeroPoint())
                .put("LEFT_UNSIGNED", !left.params().range().signed())
                .put("RIGHT_PIXELS", ElementKernels.pixels(right.layout()))
                .put("RIGHT_PITCH", right.layout().pitch())
                .put("RIGHT_ZERO", right.params().zeroPoint())
                .put("RIGHT_UNSIGNED", !right.params().range().signed())
                .put("CHANNELS", to.channels())
                .put("PIXELS", ElementKernels.pixels(to))
                .put("PITCH", to.pitch())
                .put("OUT_ZERO", params.zeroPoint());
    }
}
