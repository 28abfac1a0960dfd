// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.integer.ResultCodes;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.WeightTensor;

/**
 * What an engine computes from a layer's {@link LayerIntegers}, in plain loops over integers: the
 * integer contract of the design, written down a second time.
 */
public final class ScalarLayers {

    private ScalarLayers() {}

    /** {@return one example's result, row-major, as values} */
    public static float[] run(LayerIntegers layer, Layer conf, float[] example) {
        return conf instanceof ConvolutionLayer convolution
                ? convolution(layer, convolution, example)
                : dense(layer, example);
    }

    private static float[] convolution(LayerIntegers layer, ConvolutionLayer conf, float[] image) {
        int channels = layer.inputShape().size(0);
        int height = layer.inputShape().size(1);
        int width = layer.inputShape().size(2);
        Span rows = Span.of(conf, 0, height);
        Span columns = Span.of(conf, 1, width);
        WeightTensor weights = layer.weights();
        int groups = channels / weights.shape().size(1);
        int perGroup = weights.shape().size(1);
        int outPerGroup = weights.channels() / groups;
        float[] result = new float[weights.channels() * rows.out * columns.out];
        int at = 0;
        for (int out = 0; out < weights.channels(); out++) {
            int firstIn = out / outPerGroup * perGroup;
            for (int y = 0; y < rows.out; y++) {
                for (int x = 0; x < columns.out; x++) {
                    int sum = weights.bias(out);
                    for (int in = 0; in < perGroup; in++) {
                        for (int ky = 0; ky < rows.kernel; ky++) {
                            for (int kx = 0; kx < columns.kernel; kx++) {
                                int row = rows.source(y, ky);
                                int column = columns.source(x, kx);
                                if (row >= 0 && row < height && column >= 0 && column < width) {
                                    int pixel = ((firstIn + in) * height + row) * width + column;
                                    int code = centred(layer.input(), image[pixel]);
                                    int weight =
                                            weights.code(
                                                    ((out * perGroup + in) * rows.kernel + ky)
                                                                    * columns.kernel
                                                            + kx);
                                    sum += code * weight;
                                }
                            }
                        }
                    }
                    result[at++] = value(layer, sum, out);
                }
            }
        }
        return result;
    }

    private static float[] dense(LayerIntegers layer, float[] example) {
        WeightTensor weights = layer.weights();
        float[] result = new float[weights.channels()];
        for (int out = 0; out < result.length; out++) {
            int sum = weights.bias(out);
            for (int in = 0; in < example.length; in++) {
                sum +=
                        centred(layer.input(), example[in])
                                * weights.code(out * example.length + in);
            }
            result[out] = value(layer, sum, out);
        }
        return result;
    }

    private static int centred(QuantParams input, float value) {
        double code = Math.rint(value / input.scale()) + input.zeroPoint();
        return (int) Math.max(input.range().min(), Math.min(input.range().max(), code))
                - input.zeroPoint();
    }

    private static float value(LayerIntegers layer, int sum, int channel) {
        float unit = layer.input().scale() * layer.weights().scale(channel);
        ResultCodes result = layer.result();
        if (result == null) {
            return sum * unit;
        }
        QuantParams output = result.output();
        if (result.table() == null) {
            return values(output, code(sum * (unit / output.scale()), result));
        }
        QuantParams before = result.argument();
        double rounded = Math.rint(sum * (unit / before.scale())) + before.zeroPoint();
        int code = (int) Math.max(before.range().min(), Math.min(before.range().max(), rounded));
        byte found = result.table().lookUp((byte) code);
        return values(output, output.range().signed() ? found : found & 0xff);
    }

    private static int code(float codes, ResultCodes result) {
        double rounded = Math.rint(codes) + result.output().zeroPoint();
        return (int) Math.max(result.bounds().min(), Math.min(result.bounds().max(), rounded));
    }

    private static float values(QuantParams params, int code) {
        return (code - params.zeroPoint()) * params.scale();
    }

    /** One dimension of a convolution. */
    private record Span(int kernel, int stride, int dilation, int before, int out) {
        static Span of(ConvolutionLayer conf, int axis, int size) {
            int kernel = conf.getKernelSize()[axis];
            int stride = conf.getStride()[axis];
            int dilation = conf.getDilation()[axis];
            int reach = dilation * (kernel - 1) + 1;
            if (conf.getConvolutionMode() == ConvolutionMode.Same) {
                int out = (size + stride - 1) / stride;
                int padding = Math.max(0, (out - 1) * stride + reach - size);
                return new Span(kernel, stride, dilation, padding / 2, out);
            }
            int padding = conf.getPadding()[axis];
            return new Span(
                    kernel, stride, dilation, padding, (size + 2 * padding - reach) / stride + 1);
        }

        int source(int out, int inKernel) {
            return out * stride - before + inKernel * dilation;
        }
    }
}
