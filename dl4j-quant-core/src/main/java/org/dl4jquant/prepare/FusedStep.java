// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.layer.CodeJoint;
import org.dl4jquant.layer.MaxPoolingLayer;
import org.dl4jquant.layer.MaximumVertex;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.YoloResultLayer;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.network.Step;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * One step of the float network, perhaps with the batch normalization and the activation layer
 * after it.
 *
 * @param step the first member
 * @param normalization the batch normalization that belongs to it; null without
 * @param activation the activation layer's function that belongs to it; null without
 * @param members the names of the float network's layers that it stands for, in order
 */
record FusedStep(
        Step step,
        @Nullable BatchNormalization normalization,
        @Nullable IActivation activation,
        List<String> members)
        implements Topology.Node {

    FusedStep {
        members = List.copyOf(members);
    }

    /** {@return a step with nothing joined yet} */
    static FusedStep of(Step step) {
        QuantizedLayer kept = step.layer() instanceof QuantizedLayer quantized ? quantized : null;
        return new FusedStep(
                step,
                kept == null ? null : kept.batchNormalization(),
                kept == null ? null : kept.activation(),
                List.of(step.name()));
    }

    @Override
    public String name() {
        return step.name();
    }

    @Override
    public List<String> inputs() {
        return step.inputs();
    }

    /** {@return DL4J's layer inside all wrappers; null if it is another vertex} */
    @Nullable Layer thawed() {
        return inside(step.layer());
    }

    /** {@return DL4J's layer inside the quantizers; the layer itself if it has none} */
    static @Nullable Layer inside(@Nullable Layer layer) {
        return layer instanceof QuantizedLayer
                        || layer instanceof MaxPoolingLayer
                        || layer instanceof YoloResultLayer
                ? ((BaseWrapperLayer) layer).getUnderlying()
                : layer;
    }

    /** {@return DL4J's vertex that is no layer, without what freezes it; null if it is a layer} */
    @Nullable GraphVertex plainVertex() {
        GraphVertex vertex = step.vertex();
        if (vertex instanceof CodeJoint joint) {
            return joint.inFloat();
        }
        return vertex instanceof MaximumVertex
                ? new ElementWiseVertex(ElementWiseVertex.Op.Max)
                : vertex;
    }

    /** {@return all that is known about the layer inside all wrappers, or about the vertex} */
    LayerKind kind() {
        Object inside = step.layer() == null ? plainVertex() : thawed();
        return LayerKinds.of(inside == null ? step.configuration() : inside);
    }

    /** {@return the relation of its result to the codes of the tensor that it reads} */
    CodeFlow flow() {
        CodeFlow flow = kind().flow();
        if (!flow.keepsCodes() || !changesInput()) {
            return flow;
        }
        // It reads other values than the tensor's.
        boolean rounds = flow == CodeFlow.PICKS || kind().onlyAppliesFunction();
        return rounds ? CodeFlow.RESCALES : CodeFlow.UNKNOWN;
    }

    /** {@return whether a preprocessor changes the values that the step reads, or may do so} */
    boolean changesInput() {
        InputPreProcessor before = preprocessor();
        return before != null && LayerKinds.of(before).flow() != CodeFlow.MOVES;
    }

    /** {@return the function that makes the step's result; null if there is none or another} */
    @Nullable IActivation lastFunction() {
        return activation == null ? kind().lastFunction() : activation;
    }

    /**
     * {@return the layer if it has quantizers already, which stay as they are; null if it has none}
     */
    @Nullable QuantizedLayer kept() {
        return step.layer() instanceof QuantizedLayer quantized ? quantized : null;
    }

    /** {@return the vertex if it combines codes already; null if the step is another} */
    @Nullable CodeJoint keptJoint() {
        return step.vertex() instanceof CodeJoint joint && !joint.sources().isEmpty()
                ? joint
                : null;
    }

    /** {@return whether the layer does not learn} */
    boolean frozen() {
        return step.frozen();
    }

    /** {@return the preprocessor between the tensor that it reads and itself; null without} */
    @Nullable InputPreProcessor preprocessor() {
        return step.preprocessor();
    }

    /** {@return whether something stands between the tensor that it reads and itself} */
    boolean preprocessed() {
        return step.preprocessor() != null;
    }

    /** {@return the simple name of the layer's or vertex's configuration class} */
    String type() {
        Object inside = step.layer() == null ? plainVertex() : thawed();
        return inside == null ? step.type() : Step.typeOf(inside);
    }

    FusedStep merged(
            @Nullable BatchNormalization following, @Nullable IActivation function, String member) {
        List<String> longer = new ArrayList<>(members);
        longer.add(member);
        return new FusedStep(
                step,
                following == null ? normalization : following,
                function == null ? activation : function,
                longer);
    }

    FusedStep withInputs(List<String> newInputs) {
        return new FusedStep(step.reading(newInputs), normalization, activation, members);
    }
}
