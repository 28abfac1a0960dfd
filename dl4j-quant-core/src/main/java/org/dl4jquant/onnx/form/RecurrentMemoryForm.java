// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.RecurrentMemory;
import org.dl4jquant.numeric.recurrent.GateTables;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/** The memory after a recurrent layer's last step: a state of its Scan, times the memory's unit. */
final class RecurrentMemoryForm implements NodeForm<RecurrentMemory> {

    private static final int MEMORY = 1;

    @Override
    public Class<RecurrentMemory> node() {
        return RecurrentMemory.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.CAST, Operators.MUL);
    }

    @Override
    public void write(RecurrentMemory node, FormWriter target) {
        GraphWriter graph = target.target();
        // A small negative number was rounded to -0; the memory is 0.
        String whole = cast(node, "whole", target.memory(node.of().name()), DataType.INT32, graph);
        String codes = cast(node, "codes", whole, DataType.FLOAT, graph);
        String unit = graph.floats(node.name() + "/unit", new float[] {GateTables.MEMORY_STEP});
        graph.node(Operators.MUL, node.name(), List.of(codes, unit), node.name());
    }

    private static String cast(
            RecurrentMemory node, String part, String input, DataType type, GraphWriter graph) {
        String result = graph.name(node.name() + "/" + part);
        graph.auxiliary(Operators.CAST, result, List.of(input), result)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", type.number()));
        return result;
    }

    @Override
    public Optional<RecurrentMemory> result(OnnxNode last, FormReader source) {
        if (!last.operator().equals(Operators.MUL)) {
            return Optional.empty();
        }
        return source.graph()
                .maker(last.input(0), Operators.CAST)
                .flatMap(
                        codes ->
                                source.graph()
                                        .maker(codes.input(0), Operators.CAST)
                                        .flatMap(whole -> result(last, codes, whole, source)));
    }

    private static Optional<RecurrentMemory> result(
            OnnxNode last, OnnxNode codes, OnnxNode whole, FormReader source) {
        return source.graph()
                .maker(whole.input(0), Operators.SCAN)
                .map(
                        scan -> {
                            source.take(codes);
                            source.take(whole);
                            return read(last, whole, scan, source);
                        });
    }

    private static RecurrentMemory read(
            OnnxNode last, OnnxNode whole, OnnxNode scan, FormReader source) {
        last.requireInputs(2, 2);
        last.require(
                scan.outputs().size() > MEMORY + 1
                        && scan.outputs().get(MEMORY).equals(whole.input(0))
                        && source.constants().scalar(last.input(1)) == GateTables.MEMORY_STEP,
                "multiplies '%s', which must be the memory after a recurrent layer, by %s",
                whole.input(0),
                GateTables.MEMORY_STEP);
        return new RecurrentMemory(last.output(), RecurrentReader.of(scan, source).read());
    }
}
