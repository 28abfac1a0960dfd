// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.MoveByMask;
import org.dl4jquant.graph.node.MoveByMask.Choice;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;

/**
 * Codes that a mask chooses: a GatherND of the last step that counts, which an ArgMax of the mask
 * finds, or a Where with a code for the steps that do not count. Read is what would be written.
 */
final class MoveByMaskForm implements NodeForm<MoveByMask> {

    private static final String INPUT = "x";
    private static final String CODES = "q";
    private static final String MASK = "m";
    private static final String RESULT = "y";

    @Override
    public Class<MoveByMask> node() {
        return MoveByMask.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.GATHER_ND,
                Operators.WHERE,
                Operators.ARG_MAX,
                Operators.TRANSPOSE,
                Operators.UNSQUEEZE,
                Operators.CAST);
    }

    @Override
    public void write(MoveByMask node, FormWriter target) {
        QuantParams params = target.type(node.input()).codes();
        target.annotate(node, params);
        GraphWriter graph = target.target();
        String name = node.name();
        if (node.choice() == Choice.LAST) {
            String last = graph.name(name + "/last");
            graph.auxiliary(Operators.ARG_MAX, last, List.of(node.by()), last)
                    .add(NodeProto.ATTRIBUTE, Attributes.of("axis", 1))
                    .add(NodeProto.ATTRIBUTE, Attributes.of("select_last_index", 1));
            String steps = graph.name(name + "/features_last");
            graph.auxiliary(Operators.TRANSPOSE, steps, List.of(node.input()), steps)
                    .add(NodeProto.ATTRIBUTE, Attributes.of("perm", new long[] {0, 2, 1}));
            graph.node(Operators.GATHER_ND, name, List.of(steps, last), name)
                    .add(NodeProto.ATTRIBUTE, Attributes.of("batch_dims", 1));
            return;
        }
        String axis = graph.longs(name + "/feature_axis", new long[] {1});
        String each = graph.name(name + "/steps");
        graph.auxiliary(Operators.UNSQUEEZE, each, List.of(node.by(), axis), each);
        String counts = graph.name(name + "/counts");
        graph.auxiliary(Operators.CAST, counts, List.of(each), counts)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", DataType.BOOL.number()));
        String hidden =
                node.choice() == Choice.ZERO
                        ? target.zeroPoint(node.input())
                        : least(name + "/least", params.range(), graph);
        graph.node(Operators.WHERE, name, List.of(counts, node.input(), hidden), name);
    }

    /* Codes of 16 bits are float32 in the file. */
    private static String least(String name, CodeRange range, GraphWriter graph) {
        return range.isWide()
                ? graph.floats(name, new float[] {range.min()}, 1)
                : graph.bytes(
                        name,
                        DataType.UINT8,
                        new byte[] {Containers.toFile(range.min(), range)},
                        1);
    }

    @Override
    public void claim(FormReader source) {
        for (OnnxNode last : source.graph().nodes()) {
            match(last, source)
                    .ifPresent(
                            match ->
                                    match.operators().stream()
                                            .filter(part -> !part.equals(last))
                                            .forEach(source::take));
        }
    }

    private static Optional<OperatorMatch> match(OnnxNode last, FormReader source) {
        return switch (last.operator()) {
            case Operators.GATHER_ND -> match(Choice.LAST, last, source);
            case Operators.WHERE -> match(Choice.ZERO, last, source);
            default -> Optional.empty();
        };
    }

    private static Optional<OperatorMatch> match(Choice choice, OnnxNode last, FormReader source) {
        QuantParams codes = new QuantParams(1, 0, Containers.UINT8);
        OperatorMatch match =
                new OperatorMatch(new OnnxGraph(template(choice, codes)), source.graph())
                        .from(CODES)
                        .from(MASK);
        return match.fits(RESULT, last.output()) ? Optional.of(match) : Optional.empty();
    }

    private static Message template(Choice choice, QuantParams codes) {
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input(INPUT, Shape.of(1, 1)),
                                new Input(MASK, Shape.of(1)),
                                new Quantize(CODES, INPUT, codes),
                                new MoveByMask(RESULT, CODES, MASK, choice)),
                        List.of(RESULT));
        return Forms.write(graph, false, new HashMap<>());
    }

    @Override
    public Optional<MoveByMask> result(OnnxNode last, FormReader source) {
        return match(last, source).map(match -> read(last, match, source));
    }

    private static MoveByMask read(OnnxNode last, OperatorMatch match, FormReader source) {
        String codes = match.tensor(CODES);
        last.require(source.isCodes(codes), "chooses of '%s', which is no codes", codes);
        QuantParams params = source.params(codes);
        source.scales().requireAnnotated(last, codes, params);
        source.scales().sameContainers(codes, last.output());
        Choice choice = Choice.LAST;
        if (last.operator().equals(Operators.WHERE)) {
            int hidden = source.scales().code(last.input(2), codes, params.range());
            // The least code may be that of 0, and stands in one dimension.
            boolean scalar = source.constants().dimensions(last.input(2)).isEmpty();
            choice = scalar ? Choice.ZERO : Choice.LEAST;
            last.require(
                    hidden == (scalar ? params.zeroPoint() : params.range().min()),
                    "puts the code %d where a step does not count; it must be that of 0, which is"
                            + " %d, or the least, %d",
                    hidden,
                    params.zeroPoint(),
                    params.range().min());
        }
        return new MoveByMask(last.output(), codes, match.tensor(MASK), choice);
    }
}
