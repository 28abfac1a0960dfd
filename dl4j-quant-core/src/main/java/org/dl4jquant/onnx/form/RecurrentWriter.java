// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.numeric.recurrent.Cell;
import org.dl4jquant.numeric.recurrent.CellArithmetic;
import org.dl4jquant.numeric.recurrent.GateTables;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * All constants that the steps need lie inside the body: ONNX Runtime packs weights before the first
 * run only there. Multipliers are computed by the file's own operators of constants, which the
 * runtime does once: the scales that they are made of can be read back.
 */
/** Writes the steps of a recurrent layer as the body of an ONNX Scan. */
final class RecurrentWriter {

    private static final int FORGET = 1;
    private static final int OUTPUT = 2;
    private static final int MODULATION = 3;
    private static final int GATES = Cell.PeepholeLstm.GATES;

    /** Where the candidate's function begins in the table of both. */
    private static final int CANDIDATE = GateTables.SUMS;

    private final Recurrent node;
    private final QuantParams params;
    private final String name;
    private final int units;
    private final int rows;
    private final GraphWriter graph;
    private String memoryTable = "";
    private String counts = "";

    private RecurrentWriter(Recurrent node, GraphWriter graph) {
        this.node = node;
        this.params = node.params();
        this.name = node.name() + "/step";
        this.units = node.units();
        this.rows = node.inputWeights().channels();
        this.graph = graph;
    }

    /**
     * {@return the body}
     *
     * @param node the layer
     * @param graph an empty graph
     */
    static Message body(Recurrent node, GraphWriter graph) {
        return new RecurrentWriter(node, graph).write();
    }

    private Message write() {
        String hidden = input("hidden", DataType.UINT8, units);
        String memory = node.cell().remembers() ? input("memory", DataType.FLOAT, units) : "";
        String arriving = input("input", DataType.FLOAT, rows);
        if (node.mask().isPresent()) {
            counts = input("counts", DataType.BOOL, 1);
        }
        String zeroPoint = code("zero_point", params.zeroPoint());
        String sums = sums(hidden, arriving, zeroPoint);
        if (node.cell() instanceof Cell.Elman) {
            String next = counting(elman(sums), zeroPoint);
            result(next, "next_hidden", DataType.UINT8);
            result(next, "result", DataType.UINT8);
            return graph.build();
        }
        State after =
                node.cell() instanceof Cell.PeepholeLstm lstm
                        ? peepholeLstm(lstm, sums, memory)
                        : lstm((Cell.Lstm) node.cell(), sums, memory);
        String next = counting(hidden(after, zeroPoint), zeroPoint);
        result(next, "next_hidden", DataType.UINT8);
        String kept =
                counts.isEmpty() ? after.memory : counting(after.memory, number("no_memory", 0));
        result(kept, "next_memory", DataType.FLOAT);
        result(next, "result", DataType.UINT8);
        return graph.build();
    }

    /* A step that does not count leaves the state 0. */
    private String counting(String state, String zero) {
        return counts.isEmpty()
                ? state
                : operator("counted", Operators.WHERE, List.of(counts, state, zero));
    }

    /**
     * The memory after a step, and the output gate.
     *
     * @param memory tensor of codes in float32
     * @param output likewise
     */
    private record State(String memory, String output) {}

    private String input(String part, DataType type, int size) {
        String tensor = graph.name(name + '/' + part);
        graph.input(tensor, type, Shape.of(size));
        return tensor;
    }

    private void result(String tensor, String part, DataType type) {
        String result = graph.name(name + '/' + part);
        graph.auxiliary(Operators.IDENTITY, name + "/end", List.of(tensor), result);
        graph.output(result, type, Shape.of(units));
    }

    private String sums(String hidden, String arriving, String zeroPoint) {
        String product =
                operator(
                        "product",
                        Operators.MAT_MUL_INTEGER,
                        List.of(
                                hidden,
                                weights(graph, name, node.hiddenWeights()),
                                zeroPoint,
                                weightZeroPoint(graph, name)));
        String factor =
                multiplier(
                        graph,
                        name,
                        node.hiddenWeights(),
                        number("hidden_scale", params.scale()),
                        node.cell().sumStep(params));
        String values = graph.name(name + "/product_float");
        cast(product, values, DataType.FLOAT);
        String own = operator("own", Operators.MUL, List.of(values, factor));
        return operator("sums", Operators.ADD, List.of(arriving, own));
    }

    /** {@return the weights as a matrix [in, out] of uint8, 128 higher} */
    static String weights(GraphWriter graph, String prefix, WeightTensor weights) {
        int out = weights.channels();
        int in = weights.weightsPerChannel();
        byte[] inFile = new byte[out * in];
        for (int row = 0; row < out; row++) {
            for (int column = 0; column < in; column++) {
                inFile[column * out + row] =
                        Containers.toFile(weights.code(row * in + column), weights.range());
            }
        }
        return graph.bytes(prefix + "/weight", DataType.UINT8, inFile, in, out);
    }

    /** {@return the zero point of weights in the file} */
    static String weightZeroPoint(GraphWriter graph, String prefix) {
        byte[] zero = {Containers.toFile(0, CodeRange.narrow(CodeRange.MAX_BITS))};
        return graph.bytes(prefix + "/weight_zero_point", DataType.UINT8, zero);
    }

    /**
     * {@return the codes of sums in a unit of accumulators: weight scales times input scale, by the
     * step}
     */
    static String multiplier(
            GraphWriter graph, String prefix, WeightTensor weights, String inputScale, float step) {
        String scales =
                graph.floats(prefix + "/weight_scale", weights.scales(), weights.channels());
        String product = graph.name(prefix + "/scales");
        graph.auxiliary(Operators.MUL, prefix + "/scale", List.of(scales, inputScale), product);
        String multiplier = graph.name(prefix + "/multiplier");
        String unit = graph.floats(prefix + "/sum_step", new float[] {step});
        graph.auxiliary(Operators.DIV, prefix + "/divide", List.of(product, unit), multiplier);
        return multiplier;
    }

    private String elman(String sums) {
        CellArithmetic arithmetic = node.cell().arithmetic(params);
        short[] table = new short[GateTables.SUMS];
        int[] state = new int[1];
        for (int i = 0; i < table.length; i++) {
            arithmetic.step(new float[] {i + GateTables.LEAST_SUM}, state, new int[0]);
            table[i] = (short) (Containers.toFile(state[0], params.range()) & 0xff);
        }
        String codes = graph.name(name + "/table_code");
        String stored = graph.shorts(name + "/table", table);
        cast(stored, codes, DataType.UINT8);
        return lookUp(codes, sumCode(sums), number("first", -GateTables.LEAST_SUM), units, "state");
    }

    private State lstm(Cell.Lstm lstm, String sums, String memory) {
        String tables = gateTables(lstm.gate(), lstm.function());
        float[] offsets = new float[rows];
        Arrays.fill(offsets, -GateTables.LEAST_SUM);
        Arrays.fill(offsets, 0, units, CANDIDATE - GateTables.LEAST_SUM);
        String first = graph.floats(name + "/first", offsets, rows);
        List<String> gates = split(lookUp(tables, sumCode(sums), first, rows, "gates"), "gate");
        return new State(
                remembered(gates.get(FORGET), memory, gates.get(MODULATION), gates.get(0)),
                gates.get(OUTPUT));
    }

    private State peepholeLstm(Cell.PeepholeLstm lstm, String sums, String memory) {
        String tables = gateTables(lstm.gate(), lstm.function());
        List<String> peepholes = peepholes(lstm.peepholes());
        List<String> blocks = split(sums, "sum");
        String gate = number("first", -GateTables.LEAST_SUM);
        String candidate = number("first_candidate", CANDIDATE - GateTables.LEAST_SUM);
        String after =
                remembered(
                        gate(tables, blocks, peepholes, FORGET, memory, gate),
                        memory,
                        gate(tables, blocks, peepholes, MODULATION, memory, gate),
                        lookUp(tables, sumCode(blocks.get(0)), candidate, units, "candidate"));
        return new State(after, gate(tables, blocks, peepholes, OUTPUT, after, gate));
    }

    private String gate(
            String tables,
            List<String> blocks,
            List<String> peepholes,
            int block,
            String memory,
            String first) {
        String seen =
                operator("seen", Operators.MUL, List.of(memory, peepholes.get(block - FORGET)));
        String sum = operator("sum", Operators.ADD, List.of(blocks.get(block), seen));
        return lookUp(tables, sumCode(sum), first, units, "gate");
    }

    /* What a code of the memory adds to the sums of each gate. */
    private List<String> peepholes(WeightTensor weights) {
        String codes =
                graph.bytes(name + "/peephole", DataType.INT8, weights.codes(), GATES, units);
        String values = graph.name(name + "/peephole_code");
        cast(codes, values, DataType.FLOAT);
        String scales = graph.floats(name + "/peephole_scale", weights.scales(), GATES, 1);
        String scaled = operator("peephole_value", Operators.MUL, List.of(values, scales));
        String unit = number("memory_in_sums", Cell.PeepholeLstm.MEMORY_IN_SUMS);
        String all = operator("peepholes", Operators.MUL, List.of(scaled, unit));
        List<String> parts = new ArrayList<>();
        for (int gate = 0; gate < GATES; gate++) {
            String index = graph.longs(name + "/gate", new long[] {gate});
            parts.add(operator("peephole_of", Operators.GATHER, List.of(all, index)));
        }
        return parts;
    }

    /** {@return both functions, the gates' first, the candidate's in codes of the memory} */
    private String gateTables(ElementwiseFunction gate, ElementwiseFunction function) {
        GateTables tables = new GateTables(gate, function);
        short[] entries = new short[2 * GateTables.SUMS];
        for (int i = 0; i < GateTables.SUMS; i++) {
            entries[i] = (short) tables.gate(i + GateTables.LEAST_SUM);
            entries[CANDIDATE + i] =
                    (short) (tables.candidate(i + GateTables.LEAST_SUM) * GateTables.PER_CANDIDATE);
        }
        short[] values = new short[GateTables.MEMORIES];
        for (int i = 0; i < values.length; i++) {
            values[i] = (short) tables.value(i + GateTables.LEAST_MEMORY);
        }
        memoryTable = floats("memory_table", values);
        return floats("gate_table", entries);
    }

    private String floats(String part, short[] entries) {
        String result = graph.name(name + '/' + part + "_float");
        cast(graph.shorts(name + '/' + part, entries), result, DataType.FLOAT);
        return result;
    }

    private String remembered(String forget, String memory, String modulation, String candidate) {
        String kept = operator("kept", Operators.MUL, List.of(forget, memory));
        String added = operator("added", Operators.MUL, List.of(modulation, candidate));
        String sum = operator("memory_sum", Operators.ADD, List.of(kept, added));
        String unit = number("gate_step", GateTables.GATE_STEP);
        String scaled = operator("memory_scaled", Operators.MUL, List.of(sum, unit));
        return clipped(
                operator("memory_rounded", Operators.ROUND, List.of(scaled)),
                "memory",
                GateTables.LEAST_MEMORY,
                GateTables.MOST_MEMORY);
    }

    private String hidden(State after, String zeroPoint) {
        String first = number("first_memory", -GateTables.LEAST_MEMORY);
        String value = lookUp(memoryTable, after.memory, first, units, "value");
        String product = operator("state", Operators.MUL, List.of(after.output, value));
        float unit = GateTables.GATE_STEP * GateTables.VALUE_STEP;
        String codes =
                operator(
                        "quantized",
                        Operators.QUANTIZE,
                        List.of(
                                operator(
                                        "state_scaled",
                                        Operators.MUL,
                                        List.of(product, quotient(unit))),
                                number("one", 1),
                                zeroPoint));
        return params.range().max() - params.range().min() == Containers.UINT8.max()
                ? codes
                : operator(
                        "clipped",
                        Operators.CLIP,
                        List.of(
                                codes,
                                code("min", params.range().min()),
                                code("max", params.range().max())));
    }

    private String quotient(float unit) {
        return operator(
                "state_multiplier",
                Operators.DIV,
                List.of(number("state_step", unit), number("state_scale", params.scale())));
    }

    private String sumCode(String sums) {
        String rounded = operator("rounded", Operators.ROUND, List.of(sums));
        return clipped(rounded, "sum", GateTables.LEAST_SUM, GateTables.MOST_SUM);
    }

    private String clipped(String values, String what, int least, int most) {
        return operator(
                what + "_clipped",
                Operators.CLIP,
                List.of(values, number(what + "_min", least), number(what + "_max", most)));
    }

    /** {@return entries of a table, by float32 codes that become indices} */
    private String lookUp(String table, String codes, String first, int columns, String part) {
        String index = operator("index_float", Operators.ADD, List.of(codes, first));
        String whole = graph.name(name + "/index");
        cast(index, whole, DataType.INT32);
        String flat = graph.longs(name + "/flat", new long[] {-1});
        String indices = operator("indices", Operators.RESHAPE, List.of(whole, flat));
        String found = operator("found", Operators.GATHER_ELEMENTS, List.of(table, indices));
        String shape = graph.longs(name + "/shape", new long[] {-1, columns});
        return operator(part, Operators.RESHAPE, List.of(found, shape));
    }

    private List<String> split(String values, String part) {
        List<String> parts = new ArrayList<>();
        for (int block = 0; block < node.cell().blocks(); block++) {
            parts.add(graph.name(name + '/' + part + '_' + block));
        }
        // Since opset 18 a Split must say in how many parts; these sizes are understood before,
        // too.
        long[] equal = new long[parts.size()];
        Arrays.fill(equal, units);
        String sizes = graph.longs(name + "/sizes", equal);
        graph.auxiliary(Operators.SPLIT, name + "/split", List.of(values, sizes), parts.get(0))
                .set(NodeProto.OUTPUT, parts)
                .add(NodeProto.ATTRIBUTE, Attributes.of("axis", 1));
        return parts;
    }

    private void cast(String tensor, String result, DataType type) {
        graph.auxiliary(Operators.CAST, result, List.of(tensor), result)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", type.number()));
    }

    private String operator(String part, String operator, List<String> inputs) {
        String result = graph.name(name + '/' + part);
        graph.auxiliary(operator, result, inputs, result);
        return result;
    }

    private String number(String part, float number) {
        return graph.floats(name + '/' + part, new float[] {number});
    }

    private String code(String part, int code) {
        byte[] inFile = {Containers.toFile(code, params.range())};
        return graph.bytes(name + '/' + part, DataType.UINT8, inFile);
    }
}
