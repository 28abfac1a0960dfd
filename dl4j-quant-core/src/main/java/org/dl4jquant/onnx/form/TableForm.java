// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * ONNX Runtime 1.28.0 copies the entries of a Gather one by one through memcpy, 14 to 20 ns each;
 * GatherElements, which wants indices of the table's rank, takes 1 ns. Hence the two Reshapes.
 */
/**
 * Any function of codes: a Cast to indices, a Reshape to a list, a GatherElements from 256 entries
 * and a Reshape back, which no float operator could change; an annotation gives the scale of the
 * result. A Cast and a Gather, as written before, are read, too.
 */
final class TableForm implements NodeForm<Table> {

    @Override
    public Class<Table> node() {
        return Table.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.GATHER_ELEMENTS, Operators.GATHER, Operators.CAST, Operators.RESHAPE);
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
        gather(name, indices, table, target);
        target.annotate(node, node.params());
    }

    /**
     * Writes the entries of a table at indices of an example's shape.
     *
     * @param name the node's name
     * @param indices the name of int32 indices of the result's shape
     * @param table the name of all entries in one dimension
     * @param target the file
     */
    static void gather(String name, String indices, String table, FormWriter target) {
        GraphWriter graph = target.target();
        if (target.type(name).hasFreeSteps()) {
            // Its shape is not known, and a Gather keeps that of the indices.
            graph.node(Operators.GATHER, name, List.of(table, indices), name);
            return;
        }
        String list = graph.name(name + "/list");
        String all = graph.longs(name + "/all", new long[] {-1});
        graph.auxiliary(Operators.RESHAPE, name + "/flatten", List.of(indices, all), list);
        String entries = graph.name(name + "/entries");
        graph.auxiliary(Operators.GATHER_ELEMENTS, name + "/gather", List.of(table, list), entries);
        String shape = graph.longs(name + "/shape", batch(target.type(name).shape()));
        graph.node(Operators.RESHAPE, name, List.of(entries, shape), name);
    }

    private static long[] batch(Shape example) {
        return LongStream.concat(
                        LongStream.of(-1),
                        example.dimensions().stream().mapToLong(Integer::longValue))
                .toArray();
    }

    /**
     * {@return the table of a function of codes}
     *
     * @param function the function
     * @param codes the QuantizeLinear of its values
     * @param source the graph so far
     */
    static Table of(CodeFunction function, QuantizedResult codes, FormReader source) {
        String input = source.original(function.input());
        codes.quantize()
                .require(
                        source.isCodes(input),
                        "rounds a function of '%s', which is neither an input nor codes of an"
                                + " earlier operator",
                        function.input());
        return of(input, function::apply, codes, source);
    }

    /**
     * {@return the table that brings codes to the scale of a QuantizeLinear, and clamps them as
     * what stands around it does}
     *
     * @param input the codes
     * @param codes the QuantizeLinear
     * @param source the graph so far
     */
    static Table requantized(String input, QuantizedResult codes, FormReader source) {
        FloatRange range = codes.range();
        return of(input, x -> Math.min(Math.max(x, range.least()), range.most()), codes, source);
    }

    private static Table of(
            String input, CodeFunction.Value function, QuantizedResult codes, FormReader source) {
        QuantParams params = source.scales().params(codes.quantize(), codes.name());
        CodeRange bounds = codes.integerBounds(params, source);
        QuantParams from = source.params(input);
        byte[] entries = new byte[CodeTable.SIZE];
        for (int i = 0; i < entries.length; i++) {
            int code = from.range().clamp(from.range().decode((byte) i));
            float value = function.at(from.dequantize(code));
            codes.quantize()
                    .require(
                            !Float.isNaN(value),
                            "rounds a function that is no number where '%s' is %s",
                            input,
                            from.dequantize(code));
            entries[i] = (byte) bounds.clamp(params.quantize(value));
        }
        return new Table(codes.name(), input, CodeTable.of(entries), params);
    }

    @Override
    public Optional<Table> result(OnnxNode last, FormReader source) {
        if (last.operator().equals(Operators.RESHAPE)) {
            return source.graph()
                    .maker(last.input(0), Operators.GATHER_ELEMENTS)
                    .filter(gather -> ChannelTableForm.places(gather, source).isEmpty())
                    .filter(gather -> source.constants().has(last.input(1)))
                    .map(gather -> reshaped(last, gather, source));
        }
        boolean moves =
                last.operator().equals(Operators.GATHER)
                        && (MoveForm.moves(last, source)
                                || source.dequantized(last.input(0)).isPresent());
        return last.operator().equals(Operators.GATHER) && !moves
                ? Optional.of(read(last, last, cast(last, last.input(1), source), source))
                : Optional.empty();
    }

    /** {@return whether a Reshape is between the Cast and the end of a table} */
    static boolean isPart(OnnxNode reshape, OnnxGraph graph) {
        return graph.maker(reshape.input(0), Operators.GATHER_ELEMENTS).isPresent()
                || graph.onlyConsumer(reshape.output())
                        .filter(next -> next.operator().equals(Operators.GATHER_ELEMENTS))
                        .isPresent();
    }

    private static Table reshaped(OnnxNode last, OnnxNode gather, FormReader source) {
        OnnxNode list = list(gather, source);
        OnnxNode cast = cast(gather, list.input(0), source);
        requireShape(last, indexed(cast, source), source);
        source.take(list);
        source.take(gather);
        return read(last, gather, cast, source);
    }

    /** {@return the Reshape to a list before a GatherElements} */
    static OnnxNode list(OnnxNode gather, FormReader source) {
        return source.graph()
                .maker(gather.input(1), Operators.RESHAPE)
                .filter(node -> isList(node, source.constants()))
                .orElseThrow(
                        () ->
                                gather.refusal(
                                        "takes the indices '%s'; they must be codes that a Cast"
                                                + " made int32, reshaped to [-1]",
                                        gather.input(1)));
    }

    /** Refuses a last Reshape to another shape than that of the codes before. */
    static void requireShape(OnnxNode last, String input, FormReader source) {
        long[] shape = batch(source.shape(input));
        List<Long> sizes = LongStream.of(source.constants().longs(last.input(1))).boxed().toList();
        last.require(
                sizes.equals(LongStream.of(shape).boxed().toList()),
                "reshapes codes of a table to %s; it must be the shape of the codes before, %s",
                sizes,
                Arrays.toString(shape));
    }

    private static boolean isList(OnnxNode reshape, Constants constants) {
        return Arrays.equals(constants.longs(reshape.input(1)), new long[] {-1});
    }

    private static OnnxNode cast(OnnxNode gather, String indices, FormReader source) {
        return source.graph()
                .maker(indices, Operators.CAST)
                .orElseThrow(
                        () ->
                                gather.refusal(
                                        "takes the indices '%s'; they must be codes that a Cast"
                                                + " made int32",
                                        indices));
    }

    private static Table read(OnnxNode last, OnnxNode gather, OnnxNode cast, FormReader source) {
        gather.requireInputs(2, 2);
        gather.requireAttributes("axis");
        gather.requireInteger("axis", 0, 0);
        String input = indexed(cast, source);
        Constants constants = source.constants();
        byte[] entries = constants.bytes(gather.input(0), DataType.UINT8);
        gather.require(
                entries.length == CodeTable.SIZE
                        && constants.dimensions(gather.input(0)).size() == 1,
                "has a table of %d entries; a table of codes has %d",
                entries.length,
                CodeTable.SIZE);
        QuantParams params = source.scales().annotatedParams(last);
        QuantParams from = source.params(input);
        CodeTable table = CodeTable.of(Containers.flipped(entries, from, params));
        return new Table(last.output(), input, table, params);
    }

    /** {@return the codes that a Cast makes indices of} */
    static String indexed(OnnxNode cast, FormReader source) {
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
