// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.onnx.wire.Message;

/** Attributes that became inputs in later versions of ONNX's operators. */
final class OlderOpsets implements Rewrite {

    private static final long CLIP_WITH_INPUTS = 11;
    private static final long PAD_WITH_INPUTS = 11;
    private static final long SLICE_WITH_INPUTS = 10;
    private static final long AXES_AS_INPUTS = 13;

    @Override
    public boolean apply(Op op, Rewriting graph) {
        if (!op.domain().isEmpty()) {
            return false;
        }
        return switch (op.type()) {
            case "Clip" -> graph.opset() < CLIP_WITH_INPUTS && clip(op, graph);
            case "Pad" -> graph.opset() < PAD_WITH_INPUTS && pad(op, graph);
            case "Slice" -> graph.opset() < SLICE_WITH_INPUTS && slice(op, graph);
            case "Squeeze", "Unsqueeze" -> graph.opset() < AXES_AS_INPUTS && axes(op, graph);
            default -> false;
        };
    }

    private static boolean clip(Op op, Rewriting graph) {
        List<String> inputs = new ArrayList<>(List.of(op.input(0)));
        inputs.add(bound(op, "min", graph));
        inputs.add(bound(op, "max", graph));
        graph.emit(op.with(inputs, op.outputs(), op.attributesWithout("min", "max")));
        return true;
    }

    private static String bound(Op op, String name, Rewriting graph) {
        return op.hasAttribute(name)
                ? graph.constant(
                        Tensor.ofFloats(
                                graph.unique(op.output() + "/" + name),
                                new float[] {op.number(name, 0)}))
                : "";
    }

    private static boolean pad(Op op, Rewriting graph) {
        Optional<long[]> pads = op.integers("pads");
        if (pads.isEmpty() || op.inputs().size() != 1) {
            return false;
        }
        float[] value = {op.number("value", 0)};
        graph.emit(
                op.with(
                        List.of(
                                op.input(0),
                                longs(op, "pads", pads.get(), graph),
                                graph.constant(
                                        Tensor.ofFloats(
                                                graph.unique(op.output() + "/value"), value))),
                        op.outputs(),
                        op.attributesWithout("pads", "value")));
        return true;
    }

    private static boolean slice(Op op, Rewriting graph) {
        Optional<long[]> starts = op.integers("starts");
        Optional<long[]> ends = op.integers("ends");
        if (starts.isEmpty() || ends.isEmpty() || op.inputs().size() != 1) {
            return false;
        }
        List<String> inputs = new ArrayList<>(List.of(op.input(0)));
        inputs.add(longs(op, "starts", starts.get(), graph));
        inputs.add(longs(op, "ends", ends.get(), graph));
        op.integers("axes").ifPresent(axes -> inputs.add(longs(op, "axes", axes, graph)));
        List<Message> attributes = op.attributesWithout("starts", "ends", "axes");
        graph.emit(op.with(inputs, op.outputs(), attributes));
        return true;
    }

    private static boolean axes(Op op, Rewriting graph) {
        Optional<long[]> axes = op.integers("axes");
        if (axes.isEmpty() || op.inputs().size() != 1) {
            return false;
        }
        graph.emit(
                op.with(
                        List.of(op.input(0), longs(op, "axes", axes.get(), graph)),
                        op.outputs(),
                        op.attributesWithout("axes")));
        return true;
    }

    private static String longs(Op op, String what, long[] values, Rewriting graph) {
        return graph.constant(Tensor.ofLongs(graph.unique(op.output() + "/" + what), values));
    }
}
