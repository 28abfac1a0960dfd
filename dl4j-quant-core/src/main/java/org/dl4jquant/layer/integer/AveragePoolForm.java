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
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of average pools of images and sequences: the means of windows of codes, {@link
 * CodeMean}.
 */
final class AveragePoolForm implements IntegerForm {

    private final SubsamplingLayer layer;
    private final ImageWindow window;
    private final int rank;
    private final LayerTensors tensors;

    /**
     * Takes a running layer.
     *
     * @param layer its configuration
     * @param window its windows; a sequence is an image one column wide
     * @param rank the number of dimensions of an example: 3 for images, 2 for sequences
     * @param tensors the layer's
     */
    AveragePoolForm(SubsamplingLayer layer, ImageWindow window, int rank, LayerTensors tensors) {
        this.layer = layer;
        this.window = window;
        this.rank = rank;
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
        int height = Math.toIntExact(images.size(2));
        int width = rank == Shape.IMAGE_RANK ? Math.toIntExact(images.size(3)) : 1;
        ImageMeans.Windows windows =
                new ImageMeans.Windows(window.rows(height), window.columns(width));
        // Scales so far apart that the engines refuse them are left to float.
        boolean possible =
                windows.coverAll()
                        ? CodeMean.canAverageImage(input, output, height * width)
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
        return x.rank() == rank + 1
                && x.dataType() == DataType.FLOAT
                && layer.getConvolutionMode() != ConvolutionMode.Causal
                && !window.isDilated()
                && window.padding().height() < window.kernel().height()
                && window.padding().width() < window.kernel().width();
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return FloatLayers.ofMean(layer, tensors);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        Shape shape = Dimensions.require(graph, codes, rank);
        if (window.isDilated()) {
            throw new IntegerRefusal(
                    "it averages elements at a distance, its dilation being " + window.dilation(),
                    "average without dilation; DL4J itself ignores it with oneDNN");
        }
        String images = WindowedSequences.images(graph, codes, shape);
        Window over = window.over(graph.type(images).shape());
        QuantParams output = Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
        Signal.Codes pooled =
                ResultCodes.of(PointwiseActivation.IDENTITY, null, output)
                        .emit(
                                WindowedSequences.pooledBy(graph, rank),
                                (name, result) ->
                                        new AveragePool(
                                                name,
                                                images,
                                                over,
                                                layer.isAvgPoolIncludePadInDivisor(),
                                                result.params()));
        return List.of(WindowedSequences.result(graph, rank, pooled.node()));
    }
}
