// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * A code of 16 bits is float32 in the file, which holds it exactly and which every operator that moves
 * or pools takes. Products need bytes: a code is split into its upper and its lower one, each of
 * them uint8 with a zero point of its own, and so are weights. The two to four products of bytes are
 * put together in int64, and cast to float32 once. MatMulInteger always gets its four inputs: with
 * fewer, ONNX Runtime 1.28.0 may end the process.
 *
 * Read is what would be written, operator by operator, with all constants. What the operators do not
 * say, such as the codes of a result, stands in the metadata.
 */
/** Nodes of codes of 16 bits, in both directions: quantizations, convolutions and dense nodes. */
final class WideForm {

    static final List<String> OPERATORS =
            List.of(
                    Operators.ADD,
                    Operators.CAST,
                    Operators.CLIP,
                    Operators.CONV_INTEGER,
                    Operators.DIV,
                    Operators.FLOOR,
                    Operators.MAT_MUL_INTEGER,
                    Operators.MUL,
                    Operators.ROUND,
                    Operators.SUB);

    private static final String INPUT = "x";
    private static final String CODES = "q";
    private static final String NODE = "w";

    private WideForm() {}

    static void write(Quantize node, FormWriter target) {
        Steps steps = new Steps(node.name(), target);
        target.note(Provenance.WIDE + node.name(), WideText.ofQuantize());
        target.annotate(node, node.params());
        String quotient =
                steps.step(Operators.DIV, "codes", node.input(), target.scale(node.name()));
        steps.codes(quotient, node.params(), node.params().range());
    }

    static void write(Weighted node, FormWriter target) {
        Steps steps = new Steps(node.name(), target);
        QuantParams input = target.type(node.input()).codes();
        target.note(Provenance.WIDE + node.name(), WideText.of(node, input));
        String sums = WideSums.write(node, steps);
        String values = steps.cast("sum_float", sums, DataType.FLOAT);
        WeightTensor weights = node.weights();
        String multiplier =
                steps.step(
                        Operators.MUL,
                        "multiplier",
                        target.scale(node.input()),
                        steps.graph()
                                .floats(
                                        node.name() + "/weight_scale",
                                        weights.scales(),
                                        steps.perChannel(node)));
        if (node.output() instanceof Output.Codes codes) {
            target.annotate(node, codes.params());
            String ratio =
                    steps.step(Operators.DIV, "ratio", multiplier, target.scale(node.name()));
            steps.codes(
                    steps.step(Operators.MUL, "scaled", values, ratio),
                    codes.params(),
                    codes.bounds());
        } else {
            steps.graph()
                    .node(Operators.MUL, node.name(), List.of(values, multiplier), node.name());
        }
    }

    /** Takes the operators of such nodes but their last ones, which {@link #read} reads. */
    static void claim(FormReader source) {
        for (OnnxNode last : source.graph().nodes()) {
            if (last.outputs().size() == 1) {
                Reading.of(last, source).ifPresent(Reading::claim);
            }
        }
    }

    /** {@return the node that ends with an operator; empty if it is none of 16 bits} */
    static Optional<IntNode> read(OnnxNode last, FormReader source) {
        return last.outputs().size() == 1
                ? Reading.of(last, source).map(Reading::read)
                : Optional.empty();
    }

    /**
     * Reads one node.
     *
     * @param last its last operator
     * @param text its description in the metadata
     * @param result how its result's codes stand for values
     * @param source the graph so far
     */
    private record Reading(
            OnnxNode last, WideText text, Optional<QuantParams> result, FormReader source) {

        static Optional<Reading> of(OnnxNode last, FormReader source) {
            return source.metadata()
                    .note(Provenance.WIDE + last.output())
                    .map(WideText::parse)
                    .map(
                            text ->
                                    new Reading(
                                            last,
                                            text,
                                            text.makesCodes()
                                                    ? Optional.of(
                                                            source.scales().annotatedParams(last))
                                                    : Optional.empty(),
                                            source));
        }

        void claim() {
            match(template()).operators().stream()
                    .filter(part -> !part.equals(last))
                    .forEach(source::take);
        }

        IntNode read() {
            OperatorMatch match = match(template());
            if (text.isQuantize()) {
                String input = match.tensor(INPUT);
                last.require(
                        source.isFloats(input),
                        "reads '%s', which is no float32 tensor from outside",
                        input);
                requireSame(match(quantize(result.orElseThrow())));
                return new Quantize(last.output(), input, result.orElseThrow());
            }
            String input = match.tensor(CODES);
            last.require(
                    source.isCodes(input) && !source.scales().isInt8(input),
                    "reads '%s', which is no codes of uint8 or of 16 bits",
                    input);
            Weighted node = text.node(CODES, NODE, weights(match), result);
            requireSame(match(graph(node, source.params(input), source.shape(input))));
            return text.node(input, last.output(), node.weights(), result);
        }

        private void requireSame(OperatorMatch exact) {
            exact.constants()
                    .forEach(
                            (name, constant) ->
                                    last.require(
                                            constant.holds(name),
                                            "has the constant '%s', which is not that of a node of"
                                                    + " codes of 16 bits of its scales",
                                            constant.name()));
        }

        private OperatorMatch match(Message expected) {
            OperatorMatch match = new OperatorMatch(new OnnxGraph(expected), source.graph());
            match.from(text.isQuantize() ? INPUT : CODES);
            String name = text.isQuantize() ? CODES : NODE;
            if (!match.fits(name, last.output())) {
                throw last.refusal(
                        "is said to end a node of codes of 16 bits, but is none as this library"
                                + " writes it");
            }
            return match;
        }

        private Message template() {
            if (text.isQuantize()) {
                return quantize(result.orElseThrow());
            }
            Shape shape = text.leastWeights();
            float[] scales = new float[shape.size(0)];
            Arrays.fill(scales, 1);
            WeightTensor zeros =
                    WeightTensor.ofCodes(
                            shape,
                            range(),
                            new int[shape.elements()],
                            scales,
                            new long[scales.length]);
            QuantParams codes =
                    text.readsWide()
                            ? new QuantParams(1, 0, CodeRange.signed(CodeRange.WIDE_BITS))
                            : new QuantParams(1, 0, Containers.UINT8);
            return graph(text.node(CODES, NODE, zeros, result), codes, text.leastInput());
        }

        private CodeRange range() {
            return WeightsForm.range(last.output(), source);
        }

        private static Message graph(Weighted node, QuantParams codes, Shape shape) {
            return write(
                    List.of(new Input(INPUT, shape), new Quantize(CODES, INPUT, codes), node),
                    NODE);
        }

        private static Message quantize(QuantParams params) {
            return write(
                    List.of(new Input(INPUT, Shape.of(1)), new Quantize(CODES, INPUT, params)),
                    CODES);
        }

        private static Message write(List<IntNode> nodes, String output) {
            return Forms.write(IntGraph.of(nodes, List.of(output)), false, new HashMap<>());
        }

        private WeightTensor weights(OperatorMatch match) {
            return WideSums.weights(
                    part -> {
                        OperatorMatch.Constant constant = match.constants().get(NODE + part);
                        last.require(constant != null, "has no constant of its %s", part);
                        return constant;
                    },
                    range(),
                    text.isDense());
        }
    }

    /**
     * Writes operators of one node.
     *
     * @param name the node
     * @param target takes them
     */
    record Steps(String name, FormWriter target) {

        GraphWriter graph() {
            return target.target();
        }

        String step(String operator, String part, String... inputs) {
            String result = graph().name(name + "/" + part);
            graph().auxiliary(operator, name + "/" + part, List.of(inputs), result);
            return result;
        }

        String cast(String part, String input, DataType type) {
            String result = graph().name(name + "/" + part);
            graph().auxiliary(Operators.CAST, name + "/" + part, List.of(input), result)
                    .add(NodeProto.ATTRIBUTE, Attributes.of("to", type.number()));
            return result;
        }

        String constant(String part, float value) {
            return graph().floats(name + "/" + part, new float[] {value});
        }

        long[] perChannel(Weighted node) {
            List<Long> sizes = new ArrayList<>(List.of((long) node.weights().channels()));
            for (int axis = 2; axis < node.weights().shape().rank(); axis++) {
                sizes.add(1L);
            }
            return sizes.stream().mapToLong(Long::longValue).toArray();
        }

        /** Rounds values to codes, and ends the node. */
        void codes(String values, QuantParams params, CodeRange bounds) {
            int offset = Containers.offset(params.range());
            String rounded = step(Operators.ROUND, "rounded", values);
            String moved =
                    step(
                            Operators.ADD,
                            "moved",
                            rounded,
                            constant("offset", params.zeroPoint() + offset));
            List<String> clip =
                    List.of(
                            moved,
                            constant("min", bounds.min() + offset),
                            constant("max", bounds.max() + offset));
            if (params.range().isWide()) {
                graph().node(Operators.CLIP, name, clip, name);
                return;
            }
            String clipped = graph().name(name + "/clipped");
            graph().auxiliary(Operators.CLIP, name + "/clip", clip, clipped);
            graph().node(Operators.CAST, name, List.of(clipped), name)
                    .add(NodeProto.ATTRIBUTE, Attributes.of("to", DataType.UINT8.number()));
        }
    }
}
