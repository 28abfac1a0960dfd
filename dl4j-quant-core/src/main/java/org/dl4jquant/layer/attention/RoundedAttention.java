// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.attention;

import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DL4J's self-attention with a pass of its own, in which the factors of the inner products are
 * rounded. Parameters and masks are DL4J's.
 */
@SuppressWarnings("serial") // DL4J's layers are serializable in name only
public final class RoundedAttention extends SameDiffLayer {

    private final SelfAttentionLayer attention;
    private AttentionRounding rounding = AttentionRounding.IN_FLOAT;
    private @Nullable AttentionPass pass;

    private RoundedAttention(
            NeuralNetConfiguration conf, SelfAttentionLayer attention, DataType type) {
        super(conf, type);
        this.attention = attention;
    }

    /**
     * {@return the layer in float, as DL4J would make it but for its arithmetic; {@link
     * AttentionRounding#connect} gives it its rounders}
     *
     * @param conf the configuration with the layer in it
     * @param attention that layer
     * @param index its index
     * @param view its parameters, not initialized; null if it has none
     * @param type the network's floating-point type
     */
    public static RoundedAttention of(
            NeuralNetConfiguration conf,
            SelfAttentionLayer attention,
            int index,
            @Nullable INDArray view,
            DataType type) {
        Require.given(conf, "conf");
        Require.given(attention, "attention");
        Require.given(type, "type");
        RoundedAttention layer = new RoundedAttention(conf, attention, type);
        layer.setIndex(index);
        if (view != null) {
            layer.setParamsViewArray(view);
            layer.setParamTable(attention.initializer().init(conf, view, false));
        } else {
            layer.setParamTable(Map.of());
        }
        layer.setConf(conf);
        return layer;
    }

    void setRounding(AttentionRounding rounding) {
        this.rounding = rounding;
    }

    Map<TensorRole, INDArray> rawFactors() {
        return pass == null ? Map.of() : pass.raw();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr mgr) {
        AttentionPass run = run();
        pass = training ? run : null;
        return mgr.dup(ArrayType.ACTIVATIONS, run.result());
    }

    private AttentionPass run() {
        assertInputSet(false);
        Map<String, INDArray> weights = AttentionPass.weights(attention, paramTable());
        INDArray x = input;
        requireFits(x);
        return Detached.compute(
                () -> {
                    INDArray mask = maskArray == null ? null : maskArray.castTo(x.dataType());
                    return new AttentionPass(weights, rounding, x.dup('c'), mask);
                });
    }

    private void requireFits(INDArray x) {
        Require.argument(
                x.rank() == 3 && x.size(1) == attention.getNIn(),
                "layer \"%s\" reads sequences of shape [examples, %d, steps], but its input has the"
                        + " shape %s",
                conf().getLayer().getLayerName(),
                attention.getNIn(),
                Arrays.toString(x.shape()));
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr mgr) {
        AttentionPass forward = pass == null ? run() : pass;
        AttentionPass.Gradients back = Detached.compute(() -> forward.backward(epsilon));
        pass = null;
        Gradient gradient = new DefaultGradient();
        back.weights()
                .forEach(
                        (key, values) -> {
                            INDArray view = Objects.requireNonNull(gradTable.get(key), key);
                            gradient.setGradientFor(key, view.assign(values));
                        });
        return new Pair<>(gradient, mgr.dup(ArrayType.ACTIVATION_GRAD, back.input()));
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }
}
