// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** The kernels that look at windows of each channel. */
final class PoolKernels {

    private PoolKernels() {}

    /** The reduction of one window to a code. */
    private interface WindowFunction {
        /**
         * {@return the code of one window}
         *
         * @param input the images
         * @param plane where the channel begins in {@code input}
         * @param top row of the window's first element, negative in the padding
         * @param left column of the window's first element, negative in the padding
         */
        int apply(Batch.Codes input, int plane, int top, int left);
    }

    static Kernel max(MaxPool node, Shape image, Shape result) {
        return inputs -> {
            Batch.Codes input = (Batch.Codes) inputs.get(0);
            return slide(
                    input,
                    node.window(),
                    result,
                    input.params(),
                    (codes, plane, top, left) ->
                            largest(codes, plane, top, left, node.window(), image));
        };
    }

    static Kernel meanOfWindows(AveragePool node, Shape image, QuantParams params, Shape result) {
        return inputs ->
                slide(
                        (Batch.Codes) inputs.get(0),
                        node.window(),
                        result,
                        node.params(),
                        (codes, plane, top, left) ->
                                mean(codes, plane, top, left, node, image, params));
    }

    static Kernel meanOfImage(Shape image, QuantParams params, QuantParams result) {
        int size = image.size(1) * image.size(2);
        float multiplier = CodeMean.multiplier(params, result, size);
        return inputs -> {
            Batch.Codes input = (Batch.Codes) inputs.get(0);
            byte[] containers = new byte[input.size() * image.size(0)];
            for (int plane = 0; plane < containers.length; plane++) {
                int sum = 0;
                for (int i = plane * size; i < (plane + 1) * size; i++) {
                    sum += input.code(i) - params.zeroPoint();
                }
                containers[plane] = (byte) CodeMean.ofImage(sum, multiplier, result);
            }
            return Batch.Codes.of(input.size(), Shape.of(image.size(0), 1, 1), containers, result);
        };
    }

    private static Batch slide(
            Batch.Codes input,
            Window window,
            Shape result,
            QuantParams params,
            WindowFunction function) {
        CodeRange range = params.range();
        byte[] containers = new byte[input.size() * result.elements() * range.bytes()];
        int planeSize = input.shape().size(1) * input.shape().size(2);
        int to = 0;
        for (int plane = 0; plane < input.size() * result.size(0); plane++) {
            for (int y = 0; y < result.size(1); y++) {
                int top = y * window.stride().height() - window.before().height();
                for (int x = 0; x < result.size(2); x++) {
                    int left = x * window.stride().width() - window.before().width();
                    range.encode(
                            function.apply(input, plane * planeSize, top, left), containers, to++);
                }
            }
        }
        return Batch.Codes.of(input.size(), result, containers, params);
    }

    private static int largest(
            Batch.Codes codes, int plane, int top, int left, Window window, Shape image) {
        int largest = Integer.MIN_VALUE;
        for (int i = 0; i < window.kernel().height(); i++) {
            int y = top + i * window.dilation().height();
            for (int j = 0; j < window.kernel().width(); j++) {
                int x = left + j * window.dilation().width();
                if (y >= 0 && y < image.size(1) && x >= 0 && x < image.size(2)) {
                    largest = Math.max(largest, codes.code(plane + y * image.size(2) + x));
                }
            }
        }
        return largest;
    }

    private static int mean(
            Batch.Codes codes,
            int plane,
            int top,
            int left,
            AveragePool node,
            Shape image,
            QuantParams params) {
        Window.Extent kernel = node.window().kernel();
        int bottom = Math.min(top + kernel.height(), image.size(1));
        int right = Math.min(left + kernel.width(), image.size(2));
        int firstRow = Math.max(top, 0);
        int firstColumn = Math.max(left, 0);
        float sum = 0;
        for (int y = firstRow; y < bottom; y++) {
            for (int x = firstColumn; x < right; x++) {
                sum += params.dequantize(codes.code(plane + y * image.size(2) + x));
            }
        }
        int count =
                node.countPadding()
                        ? kernel.height() * kernel.width()
                        : (bottom - firstRow) * (right - firstColumn);
        return CodeMean.ofWindow(sum, count, node.params());
    }
}
