// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of p-norm pools with p = 1: sums of magnitudes, which a table makes of the codes and a
 * depthwise convolution adds, whose weights are all 1.
 */
final class MagnitudePoolForm implements IntegerForm {

    private static final float ONE = 1;

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
    MagnitudePoolForm(SubsamplingLayer layer, ImageWindow window, int rank, LayerTensors tensors) {
        this.layer = layer;
        this.window = window;
        this.rank = rank;
        this.tensors = tensors;
    }

    /**
     * {@return the node of the magnitudes of codes, which are codes at the same scale}
     *
     * @param graph takes the node
     * @param codes the codes
     */
    static String magnitudes(NodeEmitter graph, String codes) {
        QuantParams input = graph.type(codes).codes();
        QuantParams result =
                new QuantParams(input.scale(), 0, CodeRange.unsigned(CodeRange.MAX_BITS));
        return graph.add(
                new Table(
                        graph.inner("magnitudes"),
                        codes,
                        CodeTable.from(Math::abs, input, result),
                        result));
    }

    /**
     * {@return weights of 1, at scale 1}
     *
     * @param channels the number of channels
     * @param kernel the size of a window
     */
    static WeightTensor ones(int channels, Window.Extent kernel) {
        Shape shape = Shape.of(channels, 1, kernel.height(), kernel.width());
        byte[] codes = new byte[shape.elements()];
        Arrays.fill(codes, (byte) 1);
        float[] scales = new float[channels];
        Arrays.fill(scales, ONE);
        return WeightTensor.of(
                shape, CodeRange.narrow(CodeRange.MAX_BITS), codes, scales, new int[channels]);
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
                || x.rank() != rank + 1
                || window.isDilated()) {
            return List.of();
        }
        boolean channelsLast = layer.getCnn2dDataFormat() == CNN2DFormat.NHWC;
        INDArray images = WholeImages.channelsFirst(x, channelsLast);
        INDArray y = call.inFloat().get();
        int height = Math.toIntExact(images.size(2));
        int width = rank == Shape.IMAGE_RANK ? Math.toIntExact(images.size(3)) : 1;
        float[] sums = new float[Math.toIntExact(y.length())];
        WindowSpan rows = window.rows(height);
        WindowSpan columns = window.columns(width);
        new Sums(RowMajor.floats(images), input, output).into(sums, rows, columns);
        RowMajor.copyInto(sums, WholeImages.channelsFirst(y, channelsLast));
        return List.of(y);
    }

    /** The sums of windows of images, row by row. */
    private static final class Sums {

        private final float[] values;
        private final QuantParams input;
        private final QuantParams output;

        Sums(float[] values, QuantParams input, QuantParams output) {
            this.values = values;
            this.input = input;
            this.output = output;
        }

        void into(float[] sums, WindowSpan rows, WindowSpan columns) {
            float multiplier = Rounding.multiplier(input.scale(), ONE, output.scale());
            int at = 0;
            for (int image = 0; at < sums.length; image += rows.size() * columns.size()) {
                for (int y = 0; y < rows.results(); y++) {
                    for (int x = 0; x < columns.results(); x++) {
                        int sum = 0;
                        boolean numbers = true;
                        for (int row = rows.first(y); row < rows.end(y); row++) {
                            int line = image + row * columns.size();
                            for (int i = line + columns.first(x); i < line + columns.end(x); i++) {
                                numbers &= !Float.isNaN(values[i]);
                                sum += Math.abs(input.quantize(values[i]) - input.zeroPoint());
                            }
                        }
                        int code =
                                Rounding.requantize(
                                        sum, multiplier, output.zeroPoint(), output.range());
                        sums[at++] = numbers ? output.dequantize(code) : Float.NaN;
                    }
                }
            }
        }
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
                    "it adds elements at a distance, its dilation being " + window.dilation(),
                    "pool without dilation; DL4J itself ignores it with oneDNN");
        }
        String images = magnitudes(graph, WindowedSequences.images(graph, codes, shape));
        Shape image = graph.type(images).shape();
        Window over = window.over(image);
        QuantParams output = Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
        Signal.Codes pooled =
                ResultCodes.of(PointwiseActivation.IDENTITY, null, output)
                        .emit(
                                WindowedSequences.pooledBy(graph, rank),
                                (name, result) ->
                                        new Convolution(
                                                name,
                                                images,
                                                ones(image.size(0), over.kernel()),
                                                over,
                                                image.size(0),
                                                result));
        return List.of(WindowedSequences.result(graph, rank, pooled.node()));
    }
}
