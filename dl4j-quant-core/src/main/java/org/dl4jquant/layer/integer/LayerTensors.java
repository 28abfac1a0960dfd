// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The tensors of a running layer or vertex, as its integer form reads them: weights and scales
 * learn, so each call returns the values of now. Without an override a tensor has no codes.
 */
@FunctionalInterface
public interface LayerTensors {

    /** {@return the layer's name} */
    String name();

    /** {@return whether the layer has quantizers} */
    default boolean isQuantized() {
        return false;
    }

    /**
     * {@return how the codes of an input stand for values; null if no quantizer makes codes of it}
     *
     * @param index the input's place among those of the layer
     */
    default @Nullable QuantParams input(int index) {
        return null;
    }

    /**
     * {@return which values of the input share a scale that is found at run time; null if the input
     * has another scheme}
     */
    default @Nullable RuntimeScale runtimeScale() {
        return null;
    }

    /** {@return whether the layer rounds its input itself; else its producer has done so} */
    default boolean roundsInput() {
        return false;
    }

    /**
     * {@return how the codes of a tensor of the layer stand for values; null if it is not rounded
     * to codes}
     *
     * @param role the tensor
     */
    default @Nullable QuantParams codes(TensorRole role) {
        return null;
    }

    /**
     * {@return whether a tensor is rounded to half precision, which no integer form has}
     *
     * @param role the tensor
     */
    default boolean isHalf(TensorRole role) {
        return false;
    }

    /** {@return the activation function that follows the layer's arithmetic and normalization} */
    default IActivation function() {
        return new ActivationIdentity();
    }

    /**
     * {@return one example of the input, without the batch dimension}
     *
     * @throws IllegalStateException if the layer has never had an input
     */
    default Shape inputShape() {
        throw new IllegalStateException(
                "layer \"" + name() + "\" has no quantizer that has seen its input");
    }

    /** {@return the floating-point type that the layer computes in} */
    default DataType type() {
        return DataType.FLOAT;
    }

    /** {@return the layer's parameters by name, not copies} */
    default Map<String, INDArray> parameters() {
        return Map.of();
    }

    /** {@return the same in one view; null without parameters} */
    default @Nullable INDArray view() {
        return null;
    }

    /**
     * {@return the rounder of a weight to codes; null if the weight is not rounded to codes}
     *
     * @param key the weight's parameter name
     */
    default @Nullable CodeRounder weight(String key) {
        return null;
    }

    /**
     * {@return the line of each channel that the layer's batch normalization is in inference; null
     * without a batch normalization}
     *
     * @throws IllegalStateException if it is not finite
     */
    default @Nullable ChannelLine normalization() {
        return null;
    }

    /** {@return whether the layer has a batch normalization} */
    default boolean isNormalized() {
        return false;
    }

    /** {@return the axis of arrays that the layer's batch normalization normalizes along} */
    default int normalizedAxis() {
        return 1;
    }

    /**
     * {@return a running DL4J layer with parameters of its own, all 0}
     *
     * @param layer its configuration
     */
    default Layer instantiate(org.deeplearning4j.nn.conf.layers.Layer layer) {
        throw new IllegalStateException("layer \"" + name() + "\" has no quantizer");
    }

    /**
     * Returns the tensors of a step without quantizers: none has codes of its own.
     *
     * @param name the step's name
     * @return the tensors
     */
    static LayerTensors unquantized(String name) {
        Require.given(name, "name");
        return () -> name;
    }
}
