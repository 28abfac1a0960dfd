// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Collection;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.layer.attention.RoundedAttention;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.recurrent.RoundedRecurrence;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Makes the DL4J layer that does a quantized layer's arithmetic, on a buffer of its own. */
final class InnerLayer {

    private InnerLayer() {}

    /**
     * {@return whether the wrapper applies the activation function itself, because a quantizer or a
     * batch normalization may stand between it and the arithmetic}
     *
     * @param layer the underlying layer's configuration
     */
    static boolean separatesActivation(org.deeplearning4j.nn.conf.layers.Layer layer) {
        return LayerKinds.of(layer).separatesActivation();
    }

    /**
     * {@return the activation function that the wrapper applies; the identity if the underlying
     * layer applies its own}
     *
     * @param conf the quantized layer
     */
    static IActivation separateActivation(QuantizedLayer conf) {
        return separateActivation(conf.getUnderlying(), conf.activation());
    }

    /**
     * {@return the same before there is a quantized layer}
     *
     * @param layer the underlying layer's configuration
     * @param merged the function of an activation layer joined with it; null without
     */
    static IActivation separateActivation(
            org.deeplearning4j.nn.conf.layers.Layer layer, @Nullable IActivation merged) {
        if (merged != null) {
            return merged;
        }
        LayerKind kind = LayerKinds.of(layer);
        return kind.separatesActivation()
                ? Objects.requireNonNull(kind.lastFunction())
                : new ActivationIdentity();
    }

    /**
     * {@return the axis of its arrays that its batch normalization normalizes along}
     *
     * @param conf the quantized layer
     */
    static int normalizedAxis(QuantizedLayer conf) {
        LayerKind own = LayerKinds.of(conf.getUnderlying());
        BatchNormalization normalization = conf.batchNormalization();
        return normalization != null && own.onlyAppliesFunction()
                ? LayerKinds.of(normalization).channelAxis()
                : own.channelAxis();
    }

    /**
     * Instantiates the underlying layer.
     *
     * @param conf the quantized layer
     * @param outer the network's configuration of it
     * @param listeners the network's listeners
     * @param index the layer's index
     * @param type the network's floating-point type
     * @return the layer, with parameters on a buffer of its own
     */
    static Layer of(
            QuantizedLayer conf,
            NeuralNetConfiguration outer,
            @Nullable Collection<TrainingListener> listeners,
            int index,
            DataType type) {
        org.deeplearning4j.nn.conf.layers.Layer copy = conf.getUnderlying().clone();
        LayerKind kind = LayerKinds.of(copy);
        if (kind.separatesActivation() && !kind.onlyAppliesFunction()) {
            kind.setLastFunction(new ActivationIdentity());
        }
        copy.setConstraints(null);
        NeuralNetConfiguration inner = outer.clone();
        inner.setLayer(copy);
        inner.clearVariables();
        INDArray buffer = buffer(copy, inner, type);
        if (copy instanceof SelfAttentionLayer attention
                && conf.preparedQuantizers().scheme(TensorRole.PROBABILITY) != null) {
            return RoundedAttention.of(inner, attention, index, buffer, type);
        }
        if (copy instanceof SeparableConvolution2D separable
                && buffer != null
                && conf.preparedQuantizers().scheme(TensorRole.DEPTHWISE) != null) {
            return RoundedSeparable.of(inner, separable, index, buffer, type);
        }
        if (buffer != null && ChannelsLastConvolution1D.computes(copy)) {
            return ChannelsLastConvolution1D.of(inner, index, buffer, type);
        }
        if (copy instanceof DenseLayer dense
                && buffer != null
                && conf.preparedQuantizers().scheme(TensorRole.NORMALIZED) != null) {
            return RoundedDense.of(inner, dense, index, buffer, type);
        }
        return conf.preparedQuantizers().scheme(TensorRole.HIDDEN) == null || buffer == null
                ? copy.instantiate(inner, listeners, index, buffer, false, type)
                : new RoundedRecurrence(listeners, index, type).instantiate(inner, buffer);
    }

    /**
     * Instantiates a layer on a new buffer.
     *
     * @param layer its configuration
     * @param outer where all other settings come from
     * @param listeners the network's listeners
     * @param index the layer's index
     * @param type the floating-point type
     * @return the layer; its parameters are not initialized
     */
    static Layer instantiate(
            org.deeplearning4j.nn.conf.layers.Layer layer,
            NeuralNetConfiguration outer,
            @Nullable Collection<TrainingListener> listeners,
            int index,
            DataType type) {
        NeuralNetConfiguration inner = outer.clone();
        inner.setLayer(layer);
        inner.clearVariables();
        INDArray buffer = buffer(layer, inner, type);
        return layer.instantiate(inner, listeners, index, buffer, false, type);
    }

    private static @Nullable INDArray buffer(
            org.deeplearning4j.nn.conf.layers.Layer layer,
            NeuralNetConfiguration inner,
            DataType type) {
        long length = layer.initializer().numParams(inner);
        return length == 0 ? null : Nd4j.createUninitializedDetached(type, length).assign(0);
    }
}
