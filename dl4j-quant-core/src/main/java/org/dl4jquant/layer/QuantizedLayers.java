// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.integer.ChannelLine;
import org.dl4jquant.layer.integer.IntegerForm;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.layer.quantizers.TensorObserver;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.scheme.Precision;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/** Questions of other packages about a running layer of a DL4J network. */
public final class QuantizedLayers {

    private QuantizedLayers() {}

    /**
     * {@return the layer's configuration; empty if it is not a quantized layer}
     *
     * @param layer a layer of a network, perhaps frozen
     */
    public static Optional<QuantizedLayer> configuration(Layer layer) {
        return Optional.ofNullable(runtime(layer)).map(QuantizedRuntime::layerConf);
    }

    /**
     * {@return the line of each channel that a layer's own batch normalization is in inference;
     * empty without one}
     *
     * @param layer a running layer
     */
    public static Optional<ChannelLine> normalization(Layer layer) {
        QuantizedRuntime runtime = runtime(layer);
        return runtime == null ? Optional.empty() : runtime.normalizationLine();
    }

    /**
     * {@return the layer's integer form, whose weights and scales are always those of now; empty if
     * it is not a quantized layer, or its kind has no integer form}
     *
     * @param layer a layer of a network, perhaps frozen
     */
    public static Optional<IntegerForm> integerForm(Layer layer) {
        return Optional.ofNullable(runtime(layer)).flatMap(QuantizedRuntime::integerForm);
    }

    /**
     * Makes a layer compute in float and show the tensors that it would round, or round again. It
     * also notes the shape of its input.
     *
     * @param layer a quantized layer of a network, perhaps frozen
     * @param observer the observer of the tensors; null to round again
     * @throws IllegalArgumentException if it is not a quantized layer
     */
    public static void observe(Layer layer, @Nullable TensorObserver observer) {
        QuantizedRuntime runtime = runtime(layer);
        Require.argument(
                runtime != null,
                "%s is not a quantized layer; QuantizedLayers.configuration tells",
                layer.getClass().getSimpleName());
        Objects.requireNonNull(runtime).setObserver(observer);
    }

    /**
     * Lets a layer round at another precision from now on. Its scales are converted so that the
     * values at which they clip stay; what its updater remembers of them is not reset.
     *
     * @param layer a quantized layer of a network, perhaps frozen
     * @param precision the new precision; null for the one that the layer was prepared for
     * @throws IllegalArgumentException if it is not a quantized layer
     */
    public static void setPrecision(Layer layer, @Nullable Precision precision) {
        QuantizedRuntime runtime = runtime(layer);
        Require.argument(
                runtime != null,
                "%s is not a quantized layer; QuantizedLayers.configuration tells",
                layer.getClass().getSimpleName());
        QuantizedRuntime found = Objects.requireNonNull(runtime);
        Detached.run(() -> found.setPrecision(precision));
    }

    /** {@return whether a layer shows its tensors to an observer, and computes in float} */
    static boolean isObserved(Layer layer) {
        QuantizedRuntime runtime = runtime(layer);
        return runtime != null && runtime.isObserved();
    }

    /**
     * Adds to the gradient that comes back to a layer's result, once: in the next backward pass.
     *
     * @param layer a quantized layer of a network, not frozen
     * @param gradient loss per unit of the result, of the result's shape, in no workspace
     * @throws IllegalArgumentException if it is not a quantized layer
     */
    public static void addToNextGradient(Layer layer, INDArray gradient) {
        QuantizedRuntime runtime = runtime(layer);
        Require.argument(
                runtime != null,
                "%s is not a quantized layer; QuantizedLayers.configuration tells",
                layer.getClass().getSimpleName());
        Objects.requireNonNull(runtime).simulation().addToNextGradient(gradient);
    }

    /**
     * {@return the tensors that the layer's quantizers see: its weights always, its activations
     * between the forward and the backward pass of a training; empty if it is not a quantized
     * layer}
     *
     * @param layer a layer of a network, perhaps frozen
     */
    public static List<QuantizedTensor> tensors(Layer layer) {
        QuantizedRuntime runtime = runtime(layer);
        return runtime == null ? List.of() : runtime.simulation().tensors();
    }

    /**
     * {@return the gradients of a quantized layer's parameters by name, not copies, summed over the
     * batch until the updater has passed; empty for any other layer, a frozen one, and before the
     * first training}
     *
     * @param layer a layer of a network
     */
    public static Map<String, INDArray> gradients(Layer layer) {
        QuantizedRuntime runtime = runtime(layer);
        return runtime == null
                ? Map.of()
                : Collections.unmodifiableMap(runtime.simulation().gradients());
    }

    /**
     * {@return the loss of an output layer; empty if the layer has none}
     *
     * @param layer a layer of a network, quantized or not
     */
    public static Optional<ILossFunction> loss(Layer layer) {
        return Optional.ofNullable(lossOf(underlyingConfiguration(layer)));
    }

    /**
     * Gives an output layer another loss, in its configuration and at once.
     *
     * @param layer a layer that has a loss, see {@link #loss}
     * @param loss the new one
     * @throws IllegalArgumentException if the layer has no loss
     */
    public static void setLoss(Layer layer, ILossFunction loss) {
        Require.argument(
                loss(layer).isPresent(),
                "%s has no loss function",
                layer.getClass().getSimpleName());
        QuantizedRuntime runtime = runtime(layer);
        if (runtime != null) {
            // The running layer has a copy of the configuration that is saved.
            setLoss(runtime.layerConf().getUnderlying(), loss);
            setLoss(runtime.getUnderlying().conf().getLayer(), loss);
        } else {
            setLoss(layer.conf().getLayer(), loss);
        }
    }

    /**
     * {@return the configuration of a layer, without its quantizers if it has any}
     *
     * @param layer a layer of a network, quantized or not
     */
    public static org.deeplearning4j.nn.conf.layers.Layer underlyingConfiguration(Layer layer) {
        return configuration(layer)
                .map(quantized -> quantized.getUnderlying())
                .orElse(layer.conf().getLayer());
    }

    private static @Nullable ILossFunction lossOf(org.deeplearning4j.nn.conf.layers.Layer layer) {
        if (layer instanceof BaseOutputLayer output) {
            return output.getLossFn();
        }
        return layer instanceof LossLayer output ? output.getLossFn() : null;
    }

    private static void setLoss(org.deeplearning4j.nn.conf.layers.Layer layer, ILossFunction loss) {
        if (layer instanceof BaseOutputLayer output) {
            output.setLossFn(loss);
        } else {
            ((LossLayer) layer).setLossFn(loss);
        }
    }

    private static @Nullable QuantizedRuntime runtime(Layer layer) {
        if (layer instanceof FrozenLayer frozen) {
            return runtime(frozen.getInsideLayer());
        }
        if (layer instanceof FrozenLayerWithBackprop frozen) {
            return runtime(frozen.getInsideLayer());
        }
        return layer instanceof QuantizedRuntime runtime ? runtime : null;
    }
}
