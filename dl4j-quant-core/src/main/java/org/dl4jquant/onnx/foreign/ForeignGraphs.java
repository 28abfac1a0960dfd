// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.List;
import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;

/** Brings graphs of other tools to the QDQ form that is read. */
public final class ForeignGraphs {

    private static final List<Rewrite> REWRITES =
            List.of(
                    new OlderOpsets(),
                    new ComputedConstants(),
                    new RepeatedCodes(),
                    new QLinearOperators(),
                    new FloatBias(),
                    new MeanOfImage());

    private ForeignGraphs() {}

    /**
     * {@return the graph in the form that is read}
     *
     * @param graph an ONNX graph
     * @param opset the version of ONNX's operators that it uses
     * @throws IllegalArgumentException if a constant of the file cannot be rounded; the message
     *     names the operator
     */
    public static Rewritten rewrite(Message graph, long opset) {
        Require.given(graph, "graph");
        Rewriting rewriting = new Rewriting(graph, opset);
        for (Message node : graph.get(GraphProto.NODE)) {
            apply(new Op(node), rewriting);
        }
        Map<String, Rewritten.Tail> tails = SoftmaxTails.cut(rewriting);
        return rewriting.rewritten(graph, tails);
    }

    private static void apply(Op op, Rewriting rewriting) {
        Op resolved = rewriting.resolved(op);
        for (Rewrite rewrite : REWRITES) {
            if (rewrite.apply(resolved, rewriting)) {
                return;
            }
        }
        rewriting.emit(resolved);
    }
}
