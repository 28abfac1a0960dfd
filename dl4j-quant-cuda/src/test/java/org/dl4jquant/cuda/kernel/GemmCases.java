// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Random;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;

/** Products that several tests use. */
final class GemmCases {

    static final CodeRange UINT8 = CodeRange.unsigned(8);
    static final CodeRange INT8 = CodeRange.signed(8);
    static final CodeRange NARROW = CodeRange.narrow(8);

    private static final float SCALE = 0.05f;

    private GemmCases() {}

    static QuantParams params(CodeRange range, int zeroPoint) {
        return new QuantParams(SCALE, zeroPoint, range);
    }

    static Output.Codes codes(CodeRange range, int zeroPoint) {
        return Output.Codes.of(params(range, zeroPoint));
    }

    static Window window(int kernel, int stride, int padding) {
        return new Window(
                Window.Extent.square(kernel),
                Window.Extent.square(stride),
                Window.Extent.ONE,
                Window.Extent.square(padding),
                Window.Extent.square(padding));
    }

    static ImageLayout image(int channels, int height, int width) {
        return new ImageLayout(channels, height, width, ImageLayout.padded(channels));
    }

    /** {@return a convolution of uint8 codes with ReLU, as networks mostly have it} */
    static GemmProblem convolution(ImageLayout image, Window window, int filters) {
        return GemmProblem.plain(image, params(UINT8, 0), window, filters, codes(UINT8, 0));
    }

    static GemmProblem dense(ImageLayout image, int filters, Output output) {
        Window whole =
                Window.of(new Window.Extent(image.height(), image.width()), Window.Extent.ONE);
        return GemmProblem.plain(image, params(UINT8, 0), whole, filters, output);
    }

    static byte[] random(int count, CodeRange range, Random random) {
        byte[] codes = new byte[count];
        for (int i = 0; i < count; i++) {
            codes[i] = (byte) (range.min() + random.nextInt(range.max() - range.min() + 1));
        }
        return codes;
    }

    /** {@return a residual of signed codes} */
    static Residual residual(int filters) {
        return new Residual(params(INT8, 3), ImageLayout.padded(filters), true, codes(UINT8, 0));
    }

    static GemmProblem withInput(GemmProblem problem, QuantParams input) {
        return with(problem, input, problem.output(), problem.residual());
    }

    static GemmProblem withOutput(GemmProblem problem, Output output) {
        return with(problem, problem.input(), output, problem.residual());
    }

    /** {@return the same product with other tensors} */
    static GemmProblem with(
            GemmProblem problem, QuantParams input, Output output, @Nullable Residual residual) {
        return new GemmProblem(
                problem.image(),
                input,
                problem.window(),
                problem.filters(),
                output,
                problem.outputPitch(),
                residual,
                problem.packedWeights(),
                problem.shortSums(),
                problem.gaps(),
                problem.second(),
                problem.pool());
    }
}
