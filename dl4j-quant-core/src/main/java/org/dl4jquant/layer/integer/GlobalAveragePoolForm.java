// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of average pools of whole sequences, images and volumes: the means of codes, {@link
 * CodeMean}.
 */
final class GlobalAveragePoolForm implements IntegerForm {

    private final GlobalPoolingLayer layer;
    private final LayerTensors tensors;

    GlobalAveragePoolForm(GlobalPoolingLayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        QuantParams input = tensors.input(0);
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        INDArray x = inputs.get(0);
        boolean averages =
                x.dataType() == DataType.FLOAT && WholeImages.arePooled(layer, x.rank() - 1);
        if (input == null || output == null || call.mask() != null || !averages) {
            return List.of();
        }
        INDArray y = call.inFloat().get();
        INDArray images = WholeImages.channelsFirst(x, WholeImages.haveChannelsLast(layer));
        // Scales so far apart that the engines refuse them are left to float.
        if (!CodeMean.canAverageImage(input, output, Math.toIntExact(x.length() / y.length()))) {
            return List.of();
        }
        float[] means = new float[Math.toIntExact(y.length())];
        new ImageMeans(input, output).ofImages(RowMajor.floats(images), means);
        RowMajor.copyInto(means, y);
        return List.of(y);
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return FloatLayers.ofMean(layer, tensors);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal arriving = InputCodes.arriving(graph, tensors, inputs.get(0));
        String codes = graph.codes(arriving);
        Shape shape = graph.type(codes).shape();
        String images = WholeImages.images(graph, layer, codes);
        QuantParams output = Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
        Signal.Codes pooled =
                ResultCodes.of(PointwiseActivation.IDENTITY, null, output)
                        .emit(
                                WholeImages.pooledBy(graph, layer, shape),
                                (name, result) ->
                                        new GlobalAveragePool(name, images, result.params()));
        return List.of(WholeImages.collapsed(graph, layer, shape, pooled));
    }
}
