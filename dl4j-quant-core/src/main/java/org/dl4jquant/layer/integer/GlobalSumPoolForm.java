// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of sums over whole sequences, images and volumes, or of their magnitudes (the p-norm
 * with p = 1): a depthwise convolution whose window is the whole image and whose weights are all 1.
 */
final class GlobalSumPoolForm implements IntegerForm {

    private static final float ONE = 1;

    private final GlobalPoolingLayer layer;
    private final LayerTensors tensors;

    GlobalSumPoolForm(GlobalPoolingLayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
    }

    private boolean addsMagnitudes() {
        return layer.getPoolingType() == PoolingType.PNORM;
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        QuantParams input = tensors.input(0);
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        INDArray x = inputs.get(0);
        if (input == null
                || output == null
                || call.mask() != null
                || x.dataType() != DataType.FLOAT
                || !WholeImages.arePooled(layer, x.rank() - 1)) {
            return List.of();
        }
        INDArray y = call.inFloat().get();
        INDArray images = WholeImages.channelsFirst(x, WholeImages.haveChannelsLast(layer));
        float[] sums = new float[Math.toIntExact(y.length())];
        sum(RowMajor.floats(images), input, output, sums);
        RowMajor.copyInto(sums, y);
        return List.of(y);
    }

    private void sum(float[] values, QuantParams input, QuantParams output, float[] sums) {
        float multiplier = Rounding.multiplier(input.scale(), ONE, output.scale());
        int size = values.length / sums.length;
        for (int image = 0; image < sums.length; image++) {
            int sum = 0;
            boolean numbers = true;
            for (int i = image * size; i < (image + 1) * size; i++) {
                numbers &= !Float.isNaN(values[i]);
                int code = input.quantize(values[i]) - input.zeroPoint();
                sum += addsMagnitudes() ? Math.abs(code) : code;
            }
            int code = Rounding.requantize(sum, multiplier, output.zeroPoint(), output.range());
            sums[image] = numbers ? output.dequantize(code) : Float.NaN;
        }
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return FloatLayers.ofMean(layer, tensors);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        Shape shape = graph.type(codes).shape();
        String values = WholeImages.images(graph, layer, codes);
        String images = addsMagnitudes() ? MagnitudePoolForm.magnitudes(graph, values) : values;
        Shape image = graph.type(images).shape();
        Window.Extent whole = new Window.Extent(image.size(1), image.size(2));
        QuantParams output = Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
        Signal.Codes pooled =
                ResultCodes.of(PointwiseActivation.IDENTITY, null, output)
                        .emit(
                                WholeImages.pooledBy(graph, layer, shape),
                                (name, result) ->
                                        new Convolution(
                                                name,
                                                images,
                                                MagnitudePoolForm.ones(image.size(0), whole),
                                                Window.of(whole, Window.Extent.ONE),
                                                image.size(0),
                                                result));
        return List.of(WholeImages.collapsed(graph, layer, shape, pooled));
    }
}
