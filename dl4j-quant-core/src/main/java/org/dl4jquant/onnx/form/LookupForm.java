// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Lookup;
import org.dl4jquant.numeric.CodeRows;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * The operators accept more than the node: a Cast cuts off fractions, and a Gather counts negative
 * indices from the end. Engines refuse such indices before they run anything.
 */
/** An embedding: a Cast of float indices and a Gather of rows of codes, with an annotation. */
final class LookupForm implements NodeForm<Lookup> {

    @Override
    public Class<Lookup> node() {
        return Lookup.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.GATHER, Operators.CAST);
    }

    @Override
    public void write(Lookup node, FormWriter target) {
        GraphWriter graph = target.target();
        String name = node.name();
        CodeRows rows = node.rows();
        String indices = graph.name(name + "/index");
        graph.auxiliary(Operators.CAST, name + "/cast", List.of(node.input()), indices)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", DataType.INT32.number()));
        byte[] containers = rows.containers();
        Containers.flipInPlace(containers, node.params().range());
        String table =
                graph.bytes(name + "/rows", DataType.UINT8, containers, rows.count(), rows.width());
        graph.node(Operators.GATHER, name, List.of(table, indices), name);
        target.annotate(node, node.params());
    }

    @Override
    public Optional<Lookup> result(OnnxNode last, FormReader source) {
        return last.operator().equals(Operators.GATHER)
                        && last.inputs().size() == 2
                        && source.constants().has(last.input(0))
                ? source.graph()
                        .maker(last.input(1), Operators.CAST)
                        .filter(cast -> source.isFloats(cast.input(0)))
                        .map(cast -> read(last, cast, source))
                : Optional.empty();
    }

    private static Lookup read(OnnxNode gather, OnnxNode cast, FormReader source) {
        gather.requireAttributes("axis");
        gather.requireInteger("axis", 0, 0);
        cast.requireInputs(1, 1);
        cast.requireAttributes("to");
        int type = cast.integer("to", 0);
        cast.require(
                type == DataType.INT32.number() || type == DataType.INT64.number(),
                "makes type %d of '%s'; indices must be made int32 or int64",
                type,
                cast.input(0));
        byte[] containers = source.constants().bytes(gather.input(0), DataType.UINT8);
        List<Integer> dimensions = source.constants().dimensions(gather.input(0));
        gather.require(
                dimensions.size() == 2 && containers.length > 0,
                "looks up rows in '%s' of the dimensions %s; a table of rows has two",
                gather.input(0),
                dimensions);
        QuantParams params = source.scales().annotatedParams(gather);
        Containers.flipInPlace(containers, params.range());
        return new Lookup(
                gather.output(), cast.input(0), CodeRows.of(dimensions.get(1), containers), params);
    }
}
