// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of local response normalization of images: each channel divided by a power of the sum of
 * squares of its neighbours.
 */
public final class LocalResponseForm implements IntegerForm {

    private static final int IMAGES_RANK = 4;

    private final LocalResponseNormalization layer;
    private final LayerTensors tensors;

    private LocalResponseForm(LocalResponseNormalization layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
    }

    /**
     * Returns the support of a local response normalization.
     *
     * @param layer its configuration
     * @return a form, or the refusal of an exponent or another number that has none
     */
    public static IntegerSupport of(LocalResponseNormalization layer) {
        Require.given(layer, "layer");
        double power = Normalization.nearest(layer.getBeta());
        if (power <= 0 || power > Normalization.MAX_POWER) {
            return IntegerSupport.refused(
                    "its beta is " + layer.getBeta() + ", and no exact form of this power is known",
                    "use a beta above 0 and up to " + Normalization.MAX_POWER);
        }
        if (layer.getK() <= 0 || layer.getAlpha() <= 0 || layer.getN() < 0) {
            return IntegerSupport.refused(
                    "its k is %s, its alpha %s and its n %s, with which it may divide by 0 or by a"
                                    .formatted(layer.getK(), layer.getAlpha(), layer.getN())
                            + " number that is not real",
                    "use numbers above 0, such as DL4J's 2, 1e-4 and 5");
        }
        return ChannelsLastForm.of(
                layer.getDataFormat() == null ? CNN2DFormat.NCHW : layer.getDataFormat(),
                IntegerSupport.of(tensors -> new LocalResponseForm(layer, tensors)));
    }

    private Normalize.Span span() {
        return new Normalize.Span(0, 1, (int) layer.getN() / 2);
    }

    private Normalization formula(QuantParams input) {
        return Normalization.local(layer.getK(), layer.getAlpha(), layer.getBeta(), input.scale());
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        INDArray x = inputs.get(0);
        QuantParams input = tensors.input(0);
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        if (input == null
                || output == null
                || x.rank() != IMAGES_RANK
                || x.dataType() != DataType.FLOAT) {
            return List.of();
        }
        boolean last = layer.getDataFormat() == CNN2DFormat.NHWC;
        INDArray images = WholeImages.channelsFirst(x, last);
        if (!NormalizedRows.fits(span(), images)) {
            return List.of();
        }
        ResultCodes result = ResultCodes.of(PointwiseActivation.IDENTITY, null, output);
        INDArray y =
                new NormalizedRows(span(), formula(input), input).rounded(images, result, call);
        return List.of(last ? y.permute(0, 2, 3, 1) : y);
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return FloatLayers.ofMean(layer, tensors);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        QuantParams input = graph.type(codes).codes();
        QuantParams output = Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
        return List.of(
                ResultCodes.of(PointwiseActivation.IDENTITY, null, output)
                        .emit(
                                graph,
                                (name, result) ->
                                        new Normalize(
                                                name, codes, span(), formula(input), result)));
    }
}
