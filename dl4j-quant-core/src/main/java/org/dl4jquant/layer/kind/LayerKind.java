// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * All that the library knows about one configuration of a DL4J layer, vertex or preprocessor.
 *
 * <p>Each implementation holds its configuration, so that every answer takes the configuration's
 * options into account. What most kinds have in common is the default here.
 */
public interface LayerKind {

    /** The dimension of channels in DL4J's usual formats: the one after the examples. */
    int CHANNELS_FIRST = 1;

    /** {@return the configuration} */
    Object configuration();

    /** {@return the relation of its result to the codes that it reads} */
    CodeFlow flow();

    /**
     * {@return the layout of one of its weights; null if that parameter stays in float}
     *
     * @param key the parameter's name
     */
    default @Nullable WeightLayout weight(String key) {
        return WeightLayout.UNKNOWN;
    }

    /**
     * {@return the layouts of all its weights that can be rounded, by the parameters' names, in the
     * order of the parameters}
     */
    default Map<String, WeightLayout> weights() {
        Map<String, WeightLayout> layouts = new LinkedHashMap<>();
        if (configuration() instanceof Layer layer) {
            for (String key : layer.initializer().weightKeys(layer)) {
                WeightLayout layout = weight(key);
                if (layout != null) {
                    layouts.put(key, layout);
                }
            }
        }
        return layouts;
    }

    /** {@return the dimension of its result that numbers the output channels} */
    default int channelAxis() {
        return CHANNELS_FIRST;
    }

    /**
     * {@return whether its integer form can find the scales of its input at run time, for rows
     * along {@link #rowAxis}}
     */
    default boolean findsScales() {
        return false;
    }

    /** {@return the dimension of its input that a row lies along, which its weights multiply} */
    default int rowAxis() {
        return CHANNELS_FIRST;
    }

    /**
     * {@return whether a quantizer or a batch normalization may stand between its arithmetic and
     * its activation function, so that the quantized layer applies the function itself}
     */
    default boolean separatesActivation() {
        return false;
    }

    /** {@return whether it can take in the batch normalization that follows it} */
    default boolean absorbsNormalization() {
        return false;
    }

    /** {@return the activation function that makes its result; null if there is none or another} */
    default @Nullable IActivation lastFunction() {
        return null;
    }

    /**
     * Gives the configuration another {@link #lastFunction}.
     *
     * @param function the new function
     * @throws IllegalStateException if it has none
     */
    default void setLastFunction(IActivation function) {
        throw new IllegalStateException("this layer applies no function last: " + flow());
    }

    /** {@return whether it does nothing to its input but apply {@link #lastFunction}} */
    default boolean onlyAppliesFunction() {
        return false;
    }

    /** {@return whether its result is never negative if no input is, whatever its function} */
    default boolean keepsSign() {
        CodeFlow flow = flow();
        return flow.keepsCodes() || flow.sumsCodes() || flow.joins();
    }

    /**
     * {@return whether its integer form passes float32 values on as it does codes: it changes
     * nothing, or at most the shape of an example}
     */
    default boolean passesValues() {
        return false;
    }

    /** {@return whether it puts batches below one another, or takes them apart} */
    default Batches batches() {
        return Batches.KEPT;
    }

    /** {@return whether its result is a vector, whatever the shape of its input} */
    default boolean makesVectors() {
        return false;
    }

    /** {@return whether its integer form has no result in float32, so that codes must leave it} */
    default boolean makesOnlyCodes() {
        return flow() == CodeFlow.READS_INDICES;
    }

    /** {@return whether it takes the largest of several values, and DL4J loses NaN among them} */
    default boolean takesMaximum() {
        return flow() == CodeFlow.PICKS;
    }

    /** {@return whether it is a loss that makes boxes of a grid, which DL4J computes in float} */
    default boolean makesBoxes() {
        return false;
    }

    /** {@return whether it multiplies the tensors that it reads} */
    default boolean multipliesTensors() {
        return false;
    }

    /**
     * {@return how many heads weigh values by the attention of queries to keys, the three inputs of
     * a vertex without weights; 0 if it does nothing of this kind}
     */
    default int attentionHeads() {
        return 0;
    }

    /** {@return the steps that compute the same together, in order; none if it is one step} */
    default List<Piece> pieces() {
        return List.of();
    }

    /** {@return the tensors inside it, neither input nor result, that can be rounded} */
    default Set<TensorRole> innerTensors() {
        return Set.of();
    }

    /**
     * {@return whether its integer form is a table of codes for each channel, which reads codes,
     * and which a function of one element after it can be a part of}
     */
    default boolean tabulates() {
        return false;
    }

    /** {@return whether it is an output layer with weights: its result is trained for} */
    default boolean isOutput() {
        return false;
    }

    /** {@return the batch normalization that another layer may take in; null if it is none} */
    default @Nullable BatchNormalization normalization() {
        return null;
    }

    /**
     * Changes the numbers of channels or features of its inputs.
     *
     * @param axis the dimension that numbers them
     * @param differences how many each input has more than before; below 0 fewer; not all 0
     * @return the changed configuration
     * @throws IllegalArgumentException if it cannot follow; the message says why, but no name
     */
    default Resized reading(int axis, long... differences) {
        return Sizes.reading(this, axis, differences);
    }

    /**
     * {@return the number of outputs that it has of its own; empty if that number follows from its
     * inputs, or is not known}
     */
    default OptionalLong outputs() {
        return Sizes.outputs(this);
    }

    /**
     * Changes the number of outputs.
     *
     * @param number the number, above 0
     * @return the changed configuration
     * @throws java.util.NoSuchElementException if it has no {@link #outputs} of its own
     */
    default Resized withOutputs(long number) {
        return Sizes.withOutputs(this, number);
    }

    /** {@return its integer form, or the reason why it has none and the remedy} */
    default IntegerSupport integers() {
        return Refusals.of(configuration(), "");
    }

    /**
     * {@return its float arithmetic as operators of ONNX, for a model that is not integers only;
     * empty if there are none}
     */
    default Optional<FloatForm> floats() {
        return Optional.empty();
    }
}
