// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The form of average pools of images: the means of windows of codes, {@link CodeMean}. */
final class AveragePoolForm implements IntegerForm {

    private static final int IMAGES_RANK = 4;

    private final SubsamplingLayer layer;
    private final LayerTensors tensors;

    AveragePoolForm(SubsamplingLayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        QuantParams input = tensors.input(0);
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        INDArray x = inputs.get(0);
        if (input == null || output == null || call.mask() != null || !averages(x)) {
            return List.of();
        }
        boolean channelsLast = layer.getCnn2dDataFormat() == CNN2DFormat.NHWC;
        INDArray images = WholeImages.channelsFirst(x, channelsLast);
        INDArray y = call.inFloat().get();
        ImageWindow window = ImageWindow.of(layer);
        ImageMeans.Windows windows =
                new ImageMeans.Windows(
                        window.rows(Math.toIntExact(images.size(2))),
                        window.columns(Math.toIntExact(images.size(3))));
        // Scales so far apart that the engines refuse them are left to float.
        boolean possible =
                windows.coverAll()
                        ? CodeMean.canAverageImage(
                                input, output, Math.toIntExact(images.size(2) * images.size(3)))
                        : CodeMean.canAverageWindows(input, output);
        if (!possible) {
            return List.of();
        }
        float[] means = new float[Math.toIntExact(y.length())];
        ImageMeans arithmetic = new ImageMeans(input, output);
        if (windows.coverAll()) {
            arithmetic.ofImages(RowMajor.floats(images), means);
        } else {
            arithmetic.ofWindows(
                    RowMajor.floats(images), windows, layer.isAvgPoolIncludePadInDivisor(), means);
        }
        RowMajor.copyInto(means, WholeImages.channelsFirst(y, channelsLast));
        return List.of(y);
    }

    private boolean averages(INDArray x) {
        return x.rank() == IMAGES_RANK
                && x.dataType() == DataType.FLOAT
                && layer.getConvolutionMode() != ConvolutionMode.Causal
                && !ImageWindow.of(layer).isDilated()
                && layer.getPadding()[0] < layer.getKernelSize()[0]
                && layer.getPadding()[1] < layer.getKernelSize()[1];
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return FloatLayers.ofMean(layer, tensors);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        ImageWindow of = ImageWindow.of(layer);
        Window window = of.over(graph.type(codes).shape());
        if (of.isDilated()) {
            throw new IntegerRefusal(
                    "it averages elements at a distance, its dilation being " + window.dilation(),
                    "average without dilation; DL4J itself ignores it with oneDNN");
        }
        QuantParams output = Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
        return List.of(
                ResultCodes.of(PointwiseActivation.IDENTITY, null, output)
                        .emit(
                                graph,
                                (name, result) ->
                                        new AveragePool(
                                                name,
                                                codes,
                                                window,
                                                layer.isAvgPoolIncludePadInDivisor(),
                                                result.params())));
    }
}
