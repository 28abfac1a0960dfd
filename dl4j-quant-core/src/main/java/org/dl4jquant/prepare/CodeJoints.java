// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.dl4jquant.layer.QuantizedAddVertex;
import org.dl4jquant.layer.QuantizedAttentionVertex;
import org.dl4jquant.layer.QuantizedL2NormalizeVertex;
import org.dl4jquant.layer.QuantizedProductVertex;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;

/** Finds the vertices that combine codes otherwise than DL4J's own arithmetic, rounded, does. */
final class CodeJoints {

    private final Topology<FusedStep> network;
    private final CodeNeeds needs;
    private final Function<String, @Nullable String> sourceOfCodes;

    /**
     * Looks at a planned network.
     *
     * @param network the network, with fused steps
     * @param needs the tensors that are needed as codes
     * @param sourceOfCodes gives the name of the layer whose codes a tensor holds, or null
     */
    CodeJoints(
            Topology<FusedStep> network,
            CodeNeeds needs,
            Function<String, @Nullable String> sourceOfCodes) {
        this.network = network;
        this.needs = needs;
        this.sourceOfCodes = sourceOfCodes;
    }

    /** {@return the vertices that take their places, by name} */
    Map<String, GraphVertex> all() {
        Map<String, GraphVertex> joints = new LinkedHashMap<>();
        for (FusedStep step : network.steps()) {
            GraphVertex joint = step.keptJoint() == null ? joint(step) : null;
            if (joint != null) {
                joints.put(step.name(), joint);
            }
        }
        return joints;
    }

    private @Nullable GraphVertex joint(FusedStep step) {
        int heads = step.kind().attentionHeads();
        if (heads > 0) {
            return attention(step, heads);
        }
        GraphVertex vertex = step.plainVertex();
        if (step.flow() == CodeFlow.NORMALIZES && vertex != null) {
            List<String> codes = codes(step);
            return codes.isEmpty()
                    ? null
                    : QuantizedL2NormalizeVertex.of(
                            (L2NormalizeVertex) vertex, codes.get(0), codes.get(1));
        }
        boolean product = step.kind().multipliesTensors();
        if (!(product || step.flow() == CodeFlow.ADDS) || step.inputs().size() != 2) {
            return null;
        }
        List<String> codes = codes(step);
        if (codes.isEmpty()) {
            return null;
        }
        return product
                ? new QuantizedProductVertex(codes.get(0), codes.get(1), codes.get(2))
                : new QuantizedAddVertex(codes.get(0), codes.get(1), codes.get(2));
    }

    /* DL4J itself has no heads without projections. */
    private @Nullable GraphVertex attention(FusedStep step, int heads) {
        List<String> codes = codes(step);
        if (codes.isEmpty()) {
            return heads == 1 ? null : new QuantizedAttentionVertex(heads, null, null, null, null);
        }
        return new QuantizedAttentionVertex(
                heads, codes.get(0), codes.get(1), codes.get(2), codes.get(3));
    }

    /**
     * {@return the makers of the inputs' codes, then the one of the result's; none if one lacks}
     */
    private List<String> codes(FusedStep step) {
        List<String> tensors = new ArrayList<>(step.inputs());
        tensors.add(needs.roundedBy(step));
        List<String> codes = new ArrayList<>();
        for (String tensor : tensors) {
            String source = sourceOfCodes.apply(tensor);
            if (source != null) {
                codes.add(source);
            }
        }
        return codes.size() == tensors.size() ? codes : List.of();
    }
}
