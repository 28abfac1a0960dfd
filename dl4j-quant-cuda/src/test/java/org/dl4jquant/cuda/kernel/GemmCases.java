// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.graph.Output;
import org.dl4jquant.graph.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;

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
        return new GemmProblem(
                image,
                params(UINT8, 0),
                window,
                filters,
                codes(UINT8, 0),
                ImageLayout.padded(filters),
                null,
                false,
                false);
    }

    static GemmProblem dense(ImageLayout image, int filters, Output output) {
        Window whole =
                Window.of(new Window.Extent(image.height(), image.width()), Window.Extent.ONE);
        return new GemmProblem(
                image,
                params(UINT8, 0),
                whole,
                filters,
                output,
                ImageLayout.padded(filters),
                null,
                false,
                false);
    }

    /** {@return a residual of signed codes} */
    static Residual residual(int filters) {
        return new Residual(params(INT8, 3), ImageLayout.padded(filters), true, codes(UINT8, 0));
    }

    static GemmProblem withInput(GemmProblem problem, QuantParams input) {
        return new GemmProblem(
                problem.image(),
                input,
                problem.window(),
                problem.filters(),
                problem.output(),
                problem.outputPitch(),
                problem.residual(),
                problem.packedWeights(),
                problem.shortSums());
    }

    static GemmProblem withOutput(GemmProblem problem, Output output) {
        return new GemmProblem(
                problem.image(),
                problem.input(),
                problem.window(),
                problem.filters(),
                output,
                problem.outputPitch(),
                problem.residual(),
                problem.packedWeights(),
                problem.shortSums());
    }
}
