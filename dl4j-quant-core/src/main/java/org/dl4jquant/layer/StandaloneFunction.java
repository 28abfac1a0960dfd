// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.fakequant.FakeQuantizer;
import org.dl4jquant.fakequant.Requantizer;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.scheme.Estimator;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The integers of a layer without weights: its activation function as a clamp, or as a table from
 * its input's codes, or an average of codes.
 *
 * @param layer the layer
 */
record StandaloneFunction(QuantizedLayer layer) {

    /**
     * {@return the layer's inference in integers; null if it has none of its own, so that rounding
     * what it computes in float is exact}
     *
     * @param x the layer's input
     * @param input how the codes of the input stand for values; null if it holds none
     * @param output how the codes of the result stand for values; null if it holds none
     * @param masked whether a mask changes what is computed
     * @param forward what the layer does in float
     * @param mgr the workspaces
     */
    @Nullable INDArray infer(
            INDArray x,
            @Nullable QuantParams input,
            @Nullable QuantParams output,
            boolean masked,
            Simulation.InnerForward forward,
            LayerWorkspaceMgr mgr) {
        if (output != null && onlyClamps()) {
            return clamped(x, output, mgr);
        }
        MeanPath mean = new MeanPath(layer.getUnderlying());
        if (input == null || output == null || masked || !mean.supports(x)) {
            return lookUp(x, input, output, mgr);
        }
        INDArray y = forward.run();
        return mean.average(x, input, output, y) ? y : null;
    }

    private boolean onlyClamps() {
        return layer.getUnderlying() instanceof ActivationLayer
                && layer.quantizers().input() == null
                && PointwiseActivation.of(InnerLayer.separateActivation(layer))
                        .map(PointwiseActivation::isClamp)
                        .orElse(false);
    }

    /* The clamp is one of codes, as in the engines: with a scale so coarse that its ends are one
     * code, a clamp of values would be narrower. The code of 0 is inside any clamp. */
    private INDArray clamped(INDArray x, QuantParams output, LayerWorkspaceMgr mgr) {
        INDArray y = resultLike(x, mgr);
        FakeQuantizer.of(clamp().bounds(output), output.zeroPoint(), Estimator.STE, Channels.NONE)
                .forward(x, Nd4j.scalar(x.dataType(), output.scale()), y);
        return y;
    }

    private static INDArray resultLike(INDArray x, LayerWorkspaceMgr mgr) {
        return mgr.createUninitialized(
                ArrayType.ACTIVATIONS, x.dataType(), x.shape(), x.ordering());
    }

    /** {@return the values of the codes looked up; null if the layer is no table of codes} */
    private @Nullable INDArray lookUp(
            INDArray x,
            @Nullable QuantParams input,
            @Nullable QuantParams output,
            LayerWorkspaceMgr mgr) {
        CodeTable codes = table(input, output);
        if (codes == null || input == null || output == null) {
            return null;
        }
        INDArray y = resultLike(x, mgr);
        Requantizer.ofValues(input, codes, output, output.range()).values(x, y);
        return y;
    }

    /** {@return the layer's integer form} */
    IntegerParameters integerParameters(
            @Nullable QuantParams input,
            boolean quantizesInput,
            Shape shape,
            @Nullable QuantParams output) {
        CodeTable table = table(input, output);
        return new IntegerParameters(
                input,
                quantizesInput,
                shape,
                null,
                table == null ? null : input,
                table,
                output == null ? null : clamp().bounds(output),
                output);
    }

    private @Nullable CodeTable table(@Nullable QuantParams input, @Nullable QuantParams output) {
        if (input == null
                || output == null
                || !(layer.getUnderlying() instanceof ActivationLayer)) {
            return null;
        }
        return PointwiseActivation.of(InnerLayer.separateActivation(layer))
                .filter(known -> !known.isClamp())
                .map(known -> known.toTable(input, output))
                .orElse(null);
    }

    private PointwiseActivation clamp() {
        return PointwiseActivation.of(InnerLayer.separateActivation(layer))
                .filter(PointwiseActivation::isClamp)
                .orElse(PointwiseActivation.IDENTITY);
    }
}
