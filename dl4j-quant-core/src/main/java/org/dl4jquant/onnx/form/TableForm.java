// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/**
 * Any function of codes: a Cast to indices and a Gather from 256 entries, which no float operator
 * could change; an annotation gives the scale of the result.
 */
final class TableForm implements NodeForm<Table> {

    @Override
    public Class<Table> node() {
        return Table.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.GATHER, Operators.CAST);
    }

    @Override
    public void write(Table node, FormWriter target) {
        GraphWriter graph = target.target();
        String name = node.name();
        String indices = graph.name(name + "/index");
        graph.auxiliary(Operators.CAST, name + "/cast", List.of(node.input()), indices)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", DataType.INT32.number()));
        QuantParams input = target.type(node.input()).codes();
        String table =
                graph.bytes(
                        name + "/table",
                        DataType.UINT8,
                        Containers.flipped(node.table().entries(), input, node.params()),
                        CodeTable.SIZE);
        graph.node(Operators.GATHER, name, List.of(table, indices), name);
        target.annotate(node, node.params());
    }

    @Override
    public Optional<Table> result(OnnxNode last, FormReader source) {
        boolean moves =
                last.operator().equals(Operators.GATHER)
                        && (MoveForm.moves(last, source)
                                || source.dequantized(last.input(0)).isPresent());
        return last.operator().equals(Operators.GATHER) && !moves
                ? Optional.of(read(last, source))
                : Optional.empty();
    }

    private static Table read(OnnxNode gather, FormReader source) {
        gather.requireInputs(2, 2);
        gather.requireAttributes("axis");
        gather.requireInteger("axis", 0, 0);
        OnnxNode cast =
                source.graph()
                        .maker(gather.input(1), Operators.CAST)
                        .orElseThrow(
                                () ->
                                        gather.refusal(
                                                "takes the indices '%s'; they must be codes that a"
                                                        + " Cast made int32",
                                                gather.input(1)));
        String input = indexed(cast, source);
        Constants constants = source.constants();
        byte[] entries = constants.bytes(gather.input(0), DataType.UINT8);
        gather.require(
                entries.length == CodeTable.SIZE
                        && constants.dimensions(gather.input(0)).size() == 1,
                "has a table of %d entries; a table of codes has %d",
                entries.length,
                CodeTable.SIZE);
        QuantParams params = source.scales().annotatedParams(gather);
        QuantParams from = source.params(input);
        CodeTable table = CodeTable.of(Containers.flipped(entries, from, params));
        return new Table(gather.output(), input, table, params);
    }

    /** {@return the codes that a Cast makes indices of} */
    private static String indexed(OnnxNode cast, FormReader source) {
        cast.requireInputs(1, 1);
        cast.requireAttributes("to");
        String input = cast.input(0);
        int type = cast.integer("to", 0);
        cast.require(
                source.isCodes(input)
                        && !source.scales().isInt8(input)
                        && (type == DataType.INT32.number() || type == DataType.INT64.number()),
                "makes type %d of '%s'; only uint8 codes can be made indices, of int32 or int64",
                type,
                input);
        return input;
    }
}
