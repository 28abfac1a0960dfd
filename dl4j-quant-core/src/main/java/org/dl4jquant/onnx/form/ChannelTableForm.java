// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/**
 * A function of codes for each channel, or for each place: a Cast to indices, an Add of the place
 * where the channel's table begins, and a GatherElements from all tables in a row, between Reshapes
 * as {@link TableForm} has them; an annotation gives the scale of the result.
 */
final class ChannelTableForm implements NodeForm<ChannelTable> {

    @Override
    public Class<ChannelTable> node() {
        return ChannelTable.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.GATHER_ELEMENTS, Operators.CAST, Operators.ADD, Operators.RESHAPE);
    }

    @Override
    public void write(ChannelTable node, FormWriter target) {
        GraphWriter graph = target.target();
        String name = node.name();
        String codes = graph.name(name + "/code");
        graph.auxiliary(Operators.CAST, name + "/cast", List.of(node.input()), codes)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", DataType.INT32.number()));
        int count = node.tables().size();
        Shape shape = target.type(node.input()).shape();
        long[] places = places(shape, node).stream().mapToLong(size -> size).toArray();
        String starts = graph.ints(name + "/start", starts(count), places);
        String indices = graph.name(name + "/index");
        graph.auxiliary(Operators.ADD, name + "/add", List.of(codes, starts), indices);
        QuantParams input = target.type(node.input()).codes();
        byte[] entries = new byte[count * CodeTable.SIZE];
        for (int i = 0; i < count; i++) {
            byte[] table = Containers.flipped(node.tables().get(i).entries(), input, node.params());
            System.arraycopy(table, 0, entries, i * CodeTable.SIZE, CodeTable.SIZE);
        }
        String tables = graph.bytes(name + "/tables", DataType.UINT8, entries, entries.length);
        TableForm.gather(name, indices, tables, target);
        target.annotate(node, node.params());
    }

    private static int[] starts(int count) {
        return IntStream.range(0, count).map(table -> table * CodeTable.SIZE).toArray();
    }

    /* The sizes of the dimensions that number the tables, and 1 for the others. */
    private static List<Integer> places(Shape shape, ChannelTable node) {
        int numbering = node.dimensions(shape);
        List<Integer> places = new ArrayList<>(shape.dimensions().subList(0, numbering));
        places.addAll(Collections.nCopies(shape.rank() - numbering, 1));
        return places;
    }

    @Override
    public Optional<ChannelTable> result(OnnxNode last, FormReader source) {
        if (!last.operator().equals(Operators.RESHAPE)) {
            return Optional.empty();
        }
        return source.graph()
                .maker(last.input(0), Operators.GATHER_ELEMENTS)
                .flatMap(
                        gather ->
                                places(gather, source).map(add -> read(last, gather, add, source)));
    }

    /** {@return the Add of the places where tables begin; empty if there is one table for all} */
    static Optional<OnnxNode> places(OnnxNode gather, FormReader source) {
        return source.graph()
                .maker(gather.input(1), Operators.RESHAPE)
                .flatMap(list -> source.graph().maker(list.input(0), Operators.ADD));
    }

    private static ChannelTable read(
            OnnxNode last, OnnxNode gather, OnnxNode add, FormReader source) {
        gather.requireInputs(2, 2);
        gather.requireAttributes("axis");
        gather.requireInteger("axis", 0, 0);
        OnnxNode list = TableForm.list(gather, source);
        String input = codes(add, source);
        TableForm.requireShape(last, input, source);
        Constants constants = source.constants();
        byte[] entries = constants.bytes(gather.input(0), DataType.UINT8);
        int count = entries.length / CodeTable.SIZE;
        gather.require(
                count > 0
                        && entries.length % CodeTable.SIZE == 0
                        && constants.dimensions(gather.input(0)).size() == 1,
                "has tables of %d entries; they have %d each, in one dimension",
                entries.length,
                CodeTable.SIZE);
        QuantParams params = source.scales().annotatedParams(last);
        QuantParams from = source.params(input);
        List<CodeTable> tables = new ArrayList<>();
        for (int begin = 0; begin < entries.length; begin += CodeTable.SIZE) {
            byte[] table = Arrays.copyOfRange(entries, begin, begin + CodeTable.SIZE);
            tables.add(CodeTable.of(Containers.flipped(table, from, params)));
        }
        ChannelTable node = new ChannelTable(last.output(), input, tables, params);
        add.require(
                constants.dimensions(add.input(1)).equals(places(source.shape(input), node))
                        && Arrays.equals(constants.ints(add.input(1)), starts(count)),
                "adds '%s' of the dimensions %s to codes; it must be 0, %d, ... for the %d tables,"
                        + " one for each index of the first dimensions",
                add.input(1),
                constants.dimensions(add.input(1)),
                CodeTable.SIZE,
                count);
        source.take(add);
        source.take(list);
        source.take(gather);
        return node;
    }

    private static String codes(OnnxNode add, FormReader source) {
        add.requireInputs(2, 2);
        add.requireAttributes();
        OnnxNode cast =
                source.graph()
                        .maker(add.input(0), Operators.CAST)
                        .orElseThrow(
                                () ->
                                        add.refusal(
                                                "adds to '%s'; it must add to codes that a Cast"
                                                        + " made int32",
                                                add.input(0)));
        String input = TableForm.indexed(cast, source);
        cast.require(
                cast.integer("to", 0) == DataType.INT32.number(),
                "makes type %d of '%s'; what is added to int32 must be int32",
                cast.integer("to", 0),
                input);
        return input;
    }
}
