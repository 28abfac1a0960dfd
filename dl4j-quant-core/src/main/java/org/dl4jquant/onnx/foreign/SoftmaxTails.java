// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A Softmax that ends a graph, perhaps quantized and dequantized again: the graph ends before it,
 * and it is a last function of the output.
 */
final class SoftmaxTails {

    private static final long LAST_AXIS_BY_DEFAULT = 13;

    private SoftmaxTails() {}

    /** {@return the tails that were cut off, by the output} */
    static Map<String, Rewritten.Tail> cut(Rewriting graph) {
        Map<String, Rewritten.Tail> tails = new LinkedHashMap<>();
        for (String output : graph.outputs()) {
            List<Op> cut = new ArrayList<>();
            Optional<Op> last = graph.maker(output);
            if (last.filter(op -> op.is("DequantizeLinear")).isPresent()) {
                Optional<Op> quantize = graph.maker(last.get().input(0), "QuantizeLinear");
                cut.add(last.get());
                quantize.ifPresent(cut::add);
                last =
                        quantize.filter(op -> graph.isReadOnceNow(op.output()))
                                .filter(op -> graph.isReadOnceNow(op.input(0)))
                                .flatMap(op -> graph.maker(op.input(0)));
            }
            last.filter(op -> op.is("Softmax"))
                    .filter(op -> canEndBefore(op, graph))
                    .ifPresent(
                            softmax -> {
                                cut.add(softmax);
                                tails.put(output, tail(softmax, cut.size() > 1, graph));
                                graph.drop(cut);
                                graph.replaceOutput(output, softmax.input(0));
                            });
        }
        return tails;
    }

    private static boolean canEndBefore(Op softmax, Rewriting graph) {
        return graph.canMove(softmax.input(0));
    }

    private static Rewritten.Tail tail(Op softmax, boolean quantized, Rewriting graph) {
        boolean flattens = graph.opset() < LAST_AXIS_BY_DEFAULT;
        long axis = softmax.integer("axis", flattens ? 1 : -1);
        return new Rewritten.Tail(softmax.name(), axis, flattens, quantized);
    }
}
