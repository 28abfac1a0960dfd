// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.integer.ChannelLine;
import org.dl4jquant.layer.integer.LayerTensors;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.layer.scale.ScaleLinks;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The tensors of a running layer at the precision in force, as its integer form reads them.
 *
 * @param layer the layer
 * @param rounders the rounders of its tensors
 * @param normalizationStep its batch normalization; null without one
 */
record RuntimeTensors(
        QuantizedRuntime layer, Rounders rounders, @Nullable NormalizationStep normalizationStep)
        implements LayerTensors {

    private QuantizedLayer conf() {
        return layer.layerConf();
    }

    @Override
    public String name() {
        return layer.name();
    }

    @Override
    public boolean isQuantized() {
        return true;
    }

    @Override
    public @Nullable QuantParams input(int index) {
        String from = conf().quantizers().inputFrom();
        if (from == null) {
            return rounders.params(TensorRole.INPUT);
        }
        INDArray parameters = layer.params();
        return parameters == null ? null : ScaleLinks.read(name(), from, parameters);
    }

    @Override
    public @Nullable RuntimeScale runtimeScale() {
        ActivationScheme scheme = conf().quantizers().input();
        return scheme == null ? null : scheme.runtimeScale();
    }

    @Override
    public boolean roundsInput() {
        return rounders.tensors().containsKey(TensorRole.INPUT);
    }

    @Override
    public @Nullable QuantParams codes(TensorRole role) {
        return rounders.params(role);
    }

    @Override
    public boolean isHalf(TensorRole role) {
        ActivationScheme scheme = conf().quantizers().scheme(role);
        return scheme != null && !scheme.isInteger();
    }

    @Override
    public IActivation function() {
        return InnerLayer.separateActivation(conf());
    }

    @Override
    public Shape inputShape() {
        int[] known = conf().inputShape();
        Require.state(
                known != null,
                "layer \"%s\" has never seen an input, so its shape is unknown; calibrate the"
                        + " network first",
                name());
        return Shape.of(Objects.requireNonNull(known));
    }

    @Override
    public DataType type() {
        return layer.dataType();
    }

    @Override
    public Map<String, INDArray> parameters() {
        return layer.paramTable();
    }

    @Override
    public @Nullable INDArray view() {
        return layer.params();
    }

    @Override
    public @Nullable CodeRounder weight(String key) {
        return rounders.weights().codes(key);
    }

    @Override
    public @Nullable ChannelLine normalization() {
        return normalizationStep == null ? null : normalizationStep.finiteLine();
    }

    @Override
    public boolean isNormalized() {
        return normalizationStep != null;
    }

    @Override
    public int normalizedAxis() {
        return InnerLayer.normalizedAxis(conf());
    }

    @Override
    public Layer instantiate(org.deeplearning4j.nn.conf.layers.Layer inner) {
        return InnerLayer.instantiate(inner, layer.conf(), null, 0, layer.dataType());
    }
}
