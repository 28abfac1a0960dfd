// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;

/** The refusals of layers that compute in float, although their kind has an integer form. */
public final class FloatLayers {

    private FloatLayers() {}

    /**
     * Returns the refusal of a layer that {@code prepare} left in float.
     *
     * @param layer its configuration
     * @return the refusal
     */
    public static IntegerSupport.Refusal leftInFloat(Layer layer) {
        return IntegerSupport.refused(
                "this "
                        + Require.given(layer, "layer").getClass().getSimpleName()
                        + " computes in float",
                "the prepare report says why; quantize it, or leave it out of the deployed"
                        + " network");
    }

    /**
     * Returns the refusal of a layer of which one tensor is not in codes.
     *
     * @param layer its configuration
     * @param why the tensor at fault
     * @return the refusal
     */
    public static IntegerSupport.Refusal because(Layer layer, String why) {
        return because(
                Require.given(layer, "layer").getClass().getSimpleName(),
                Require.given(why, "why"));
    }

    /**
     * Returns the refusal of a layer or vertex of which one tensor is not in codes.
     *
     * @param type the simple name of its configuration's class
     * @param why the tensor at fault
     * @return the refusal
     */
    public static IntegerSupport.Refusal because(String type, String why) {
        return IntegerSupport.refused(
                "this "
                        + Require.given(type, "type")
                        + " computes in float, because "
                        + Require.given(why, "why"),
                "prepare the network with integers for its weights and its activations");
    }

    /**
     * {@return the refusal of a layer of another floating-point type than float32}
     *
     * @param type the type that it computes in
     */
    static IntegerSupport.Refusal inOtherType(DataType type) {
        return IntegerSupport.refused(
                "it computes in " + type,
                "lower what network.convertDataType(DataType.FLOAT) returns");
    }

    /**
     * {@return the refusal of a layer of means without codes on both sides; null if it has them}
     *
     * @param layer its configuration
     * @param tensors the layer's
     */
    static IntegerSupport.@Nullable Refusal ofMean(Layer layer, LayerTensors tensors) {
        if (!tensors.isQuantized()) {
            return leftInFloat(layer);
        }
        return tensors.codes(TensorRole.OUTPUT) == null
                ? because(layer, "its result is not rounded to integers")
                : null;
    }

    /**
     * Returns the refusal of a step that makes or passes values of which no quantizer makes codes.
     *
     * @param type the simple name of its configuration's class
     * @return the refusal
     */
    public static IntegerSupport.Refusal withoutCodes(String type) {
        return IntegerSupport.refused(
                "this " + Require.given(type, "type") + " computes in float",
                "quantize the layers around it, or leave it out of the deployed network");
    }

    /**
     * Returns the refusal of a layer that finds scales in values which a preprocessor moves.
     *
     * @param preprocessor the preprocessor's type
     * @return the refusal
     */
    public static IntegerSupport.Refusal movedValues(String preprocessor) {
        return IntegerSupport.refused(
                "it finds scales in float32 values that "
                        + Require.given(preprocessor, "preprocessor")
                        + " moves, and the integer graph moves codes only",
                "give it, or the layer before it, a scheme that is calibrated, such as"
                        + " LayerScheme.INT8");
    }

    /**
     * Returns the refusal of a layer that reads values through a function which can only end a
     * network: runtimes compute it each in its own way, so that engines apply it in Java.
     *
     * @param layer the layer or vertex whose function it is
     * @param function the function
     * @return the refusal
     */
    public static IntegerSupport.Refusal endingFunction(String layer, String function) {
        return IntegerSupport.refused(
                "it computes with the float32 results of '"
                        + Require.given(layer, "layer")
                        + "', whose activation function "
                        + Require.given(function, "function")
                        + " is exact in no runtime but at the end of a network",
                "give '"
                        + layer
                        + "' a ReLU, a leaky ReLU, another clamp or the identity, or a scheme that"
                        + " is calibrated, such as LayerScheme.INT8, which makes the function a"
                        + " table of codes");
    }

    /**
     * Returns the refusal of an activation function of which engines have no definition.
     *
     * @param function the function of a result that leaves in float
     * @return the refusal
     */
    public static IntegerSupport.Refusal withoutDefinition(IActivation function) {
        return IntegerSupport.refused(
                "there is no exact form of its activation function "
                        + Require.given(function, "function").getClass().getName(),
                "use one of DL4J's own, or the identity, and apply the function to what the engine"
                        + " returns");
    }

    /**
     * Returns the refusal of an activation function.
     *
     * @param function the function of a layer's result
     * @return the refusal
     */
    public static IntegerSupport.Refusal unknownFunction(IActivation function) {
        String name = Require.given(function, "function").getClass().getName();
        return PointwiseActivation.of(function).isEmpty()
                ? IntegerSupport.refused(
                        "its activation function "
                                + name
                                + " is not one that the integer graph has",
                        "functions that lower are DL4J's own, each of them by its exact class,"
                                + " without Softmax, RReLU and PReLU")
                : IntegerSupport.refused(
                        "its activation function "
                                + name
                                + " is a table of codes, and no quantizer makes codes of its"
                                + " argument",
                        "prepare the float network; prepare puts a quantizer before such a"
                                + " function");
    }
}
