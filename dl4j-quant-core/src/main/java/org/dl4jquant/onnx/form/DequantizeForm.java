// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Dequantize;

/**
 * Codes to floats: a DequantizeLinear whose floats leave the graph or are computed with. Any other
 * belongs to the operator that reads it, and is only checked here.
 */
final class DequantizeForm implements NodeForm<Dequantize> {

    @Override
    public Class<Dequantize> node() {
        return Dequantize.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.DEQUANTIZE);
    }

    @Override
    public void write(Dequantize node, FormWriter target) {
        target.target()
                .node(Operators.DEQUANTIZE, node.name(), target.asRead(node.input()), node.name());
    }

    @Override
    public Optional<Dequantize> result(OnnxNode last, FormReader source) {
        if (!last.operator().equals(Operators.DEQUANTIZE)) {
            return Optional.empty();
        }
        last.requireInputs(2, 3);
        last.requireAttributes("axis");
        String input = source.original(last.input(0));
        if (PackedWeights.constant(input, source.graph()).isPresent()) {
            return Optional.empty();
        }
        last.require(
                source.isCodes(input),
                "reads '%s', which is neither a constant nor codes of an earlier operator",
                input);
        source.scales().requireParams(last, input, source.params(input));
        return isResult(last.output(), source.graph())
                ? Optional.of(new Dequantize(last.output(), input))
                : Optional.empty();
    }

    private static boolean isResult(String floats, OnnxGraph graph) {
        List<OnnxNode> readers = graph.consumers(floats);
        return graph.leaves(floats)
                || readers.isEmpty()
                || readers.stream().anyMatch(reader -> readsFloats(reader, graph));
    }

    private static boolean readsFloats(OnnxNode node, OnnxGraph graph) {
        if (DynamicDenseReader.begins(node, graph)) {
            return true;
        }
        return (ReshapeForm.reshapes(node) || RectifyForm.rectifies(node))
                && !graph.isQuantized(node.output());
    }
}
