// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;

/*
 * First the operators are compared with those of a layer of one unit, which finds the constants, for
 * the operators do not depend on their number; then everything with what would be written for the
 * layer of these constants.
 */
/** Reads a recurrent layer around a Scan. */
final class RecurrentReader {

    private static final String INPUT = "x";
    private static final String CODES = "q";
    private static final String MASK = "m";
    private static final String HIDDEN = "h";
    private static final String HIDDEN_INPUT = "hx";
    private static final String MEMORY = "c";
    private static final String LAYER = "r";
    private static final String OF_STATE = LAYER + "/step";
    private static final String PEEPHOLE = "/peephole";
    private static final String WEIGHT = "/weight";
    private static final int OFFSET = 128;

    private final OnnxNode scan;
    private final OnnxNode last;
    private final CellText text;
    private final QuantParams params;
    private final FormReader source;

    private RecurrentReader(OnnxNode scan, OnnxNode last, FormReader source) {
        this.scan = scan;
        this.last = last;
        this.source = source;
        this.text =
                source.metadata()
                        .note(Provenance.RECURRENT + last.output())
                        .map(CellText::parse)
                        .orElseThrow(() -> foreign(scan));
        this.params = source.scales().annotatedParams(last);
    }

    /** {@return the reader of the layer around a Scan} */
    static RecurrentReader of(OnnxNode scan, FormReader source) {
        List<String> results = scan.outputs();
        OnnxNode last =
                source.graph()
                        .onlyConsumer(results.isEmpty() ? "" : results.get(results.size() - 1))
                        .filter(next -> next.operator().equals(Operators.TRANSPOSE))
                        .orElseThrow(() -> foreign(scan));
        return new RecurrentReader(scan, last, source);
    }

    private static IllegalArgumentException foreign(OnnxNode scan) {
        return scan.refusal(
                "is not a recurrent layer as this library writes it; only such are understood");
    }

    /** {@return the operators of the layer but the last one} */
    List<OnnxNode> parts() {
        return match(template()).operators().stream().filter(part -> !part.equals(last)).toList();
    }

    Recurrent read() {
        OperatorMatch match = match(template());
        String input = match.tensor(CODES);
        scan.require(
                source.isCodes(input) && !source.scales().isInt8(input),
                "reads '%s', which is no codes of uint8",
                input);
        Recurrent node = node(reads(), LAYER, part -> weights(match, part));
        OperatorMatch exact = match(graph(node, source.params(input), source.shape(input)));
        mask().ifPresent(
                        mask ->
                                scan.require(
                                        source.isFloats(match.tensor(mask)),
                                        "reads the mask '%s', which is no input",
                                        match.tensor(mask)));
        exact.constants()
                .forEach(
                        (name, constant) ->
                                scan.require(
                                        constant.holds(name),
                                        "has the constant '%s', which is not that of a recurrent"
                                                + " layer of its scales and functions",
                                        constant.name()));
        return new Recurrent(
                last.output(),
                new Recurrent.Reads(
                        input,
                        mask().map(match::tensor),
                        before().map(
                                        state ->
                                                new Recurrent.State(
                                                        match.tensor(HIDDEN),
                                                        state.memory().map(match::tensor)))),
                node.cell(),
                node.inputWeights(),
                node.hiddenWeights(),
                params,
                node.reverse());
    }

    private OperatorMatch match(Message expected) {
        OperatorMatch match =
                new OperatorMatch(new OnnxGraph(expected), source.graph()).from(CODES);
        mask().ifPresent(match::from);
        before().ifPresent(
                        state -> {
                            match.from(HIDDEN);
                            state.memory().ifPresent(match::from);
                        });
        if (!match.fits(LAYER, last.output())) {
            throw foreign(scan);
        }
        return match;
    }

    private Recurrent.Reads reads() {
        return new Recurrent.Reads(CODES, mask(), before());
    }

    /* Without a state before, the first one is made of zeros. */
    private Optional<Recurrent.State> before() {
        boolean zeros = source.graph().maker(scan.input(0), Operators.EXPAND).isPresent();
        boolean remembers = scan.outputs().size() > 2;
        return zeros
                ? Optional.empty()
                : Optional.of(
                        new Recurrent.State(
                                HIDDEN, remembers ? Optional.of(MEMORY) : Optional.empty()));
    }

    private Optional<String> mask() {
        return scan.integer(RecurrentForm.SCAN_INPUTS, 1) == 1
                ? Optional.empty()
                : Optional.of(MASK);
    }

    private Recurrent node(
            Recurrent.Reads reads, String name, Function<String, WeightTensor> weights) {
        return new Recurrent(
                name,
                reads,
                text.cell(() -> weights.apply(PEEPHOLE)),
                weights.apply(LAYER),
                weights.apply(OF_STATE),
                params,
                text.reverse());
    }

    private Message template() {
        QuantParams codes = new QuantParams(1, 0, Containers.UINT8);
        return graph(node(reads(), LAYER, this::zeros), codes, Shape.of(1, 1));
    }

    private WeightTensor zeros(String part) {
        int rows = text.rows(part.equals(PEEPHOLE));
        float[] scales = new float[rows];
        Arrays.fill(scales, Float.MIN_NORMAL);
        return WeightTensor.of(
                Shape.of(rows, 1), range(part), new byte[rows], scales, new int[rows]);
    }

    private CodeRange range(String part) {
        return text.ranges().get(List.of(LAYER, OF_STATE, PEEPHOLE).indexOf(part));
    }

    private static Message graph(Recurrent node, QuantParams codes, Shape shape) {
        List<IntNode> nodes = new ArrayList<>();
        nodes.add(new Input(INPUT, shape));
        node.mask().ifPresent(mask -> nodes.add(new Input(mask, Shape.of(shape.size(1)))));
        nodes.add(new Quantize(CODES, INPUT, codes));
        node.reads()
                .before()
                .ifPresent(
                        state -> {
                            Shape units = Shape.of(node.units());
                            nodes.add(new Input(HIDDEN_INPUT, units));
                            state.memory().ifPresent(name -> nodes.add(new Input(name, units)));
                            nodes.add(new Quantize(HIDDEN, HIDDEN_INPUT, node.params()));
                        });
        nodes.add(node);
        IntGraph graph = IntGraph.of(nodes, List.of(LAYER));
        return Forms.write(graph, false, new HashMap<>());
    }

    private WeightTensor weights(OperatorMatch match, String part) {
        boolean peephole = part.equals(PEEPHOLE);
        String prefix = peephole ? OF_STATE + PEEPHOLE : part + WEIGHT;
        OperatorMatch.Constant codes = constant(match, prefix);
        OperatorMatch.Constant scales = constant(match, prefix + "_scale");
        List<Integer> sizes = codes.of().dimensions(codes.name());
        scan.require(
                sizes.size() == 2 && !sizes.contains(0),
                "has weights of the dimensions %s; they must be a matrix",
                sizes);
        int rows = sizes.get(peephole ? 0 : 1);
        byte[] values =
                peephole
                        ? codes.of().bytes(codes.name(), DataType.INT8)
                        : rows(codes.of().bytes(codes.name(), DataType.UINT8), rows);
        int[] bias = part.equals(LAYER) ? bias(constant(match, LAYER + "/bias")) : new int[rows];
        return WeightTensor.of(
                Shape.of(rows, sizes.get(peephole ? 1 : 0)),
                range(part),
                values,
                scales.of().floats(scales.name()),
                bias);
    }

    private static int[] bias(OperatorMatch.Constant bias) {
        return bias.of().ints(bias.name());
    }

    private static OperatorMatch.Constant constant(OperatorMatch match, String name) {
        return Objects.requireNonNull(match.constants().get(name), name);
    }

    /** From [in, out], 128 higher, to [out, in]. */
    private static byte[] rows(byte[] columns, int rows) {
        byte[] result = new byte[columns.length];
        int length = columns.length / rows;
        for (int i = 0; i < columns.length; i++) {
            result[i % rows * length + i / rows] = (byte) (columns[i] - OFFSET);
        }
        return result;
    }
}
