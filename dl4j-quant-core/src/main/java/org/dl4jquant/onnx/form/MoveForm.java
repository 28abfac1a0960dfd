// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.KeepsCodes;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/*
 * Operators in a row are one node as far as one map can say what they do: a tensor between two of
 * them is a node's result only if its scale is annotated, if anything but the next operator reads it,
 * or if the map ends there.
 */
/**
 * Codes in other places: Reshape, Transpose, Slice, Pad, Gather and Resize over the codes
 * themselves, in any order, with an annotation of the scale. One of them over dequantized codes is
 * read, too.
 */
final class MoveForm implements NodeForm<Move> {

    @Override
    public Class<Move> node() {
        return Move.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.TRANSPOSE,
                Operators.SLICE,
                Operators.PAD,
                Operators.GATHER,
                Operators.RESIZE,
                Operators.RESHAPE,
                Operators.FLATTEN,
                Operators.SQUEEZE,
                Operators.UNSQUEEZE);
    }

    @Override
    public void write(Move node, FormWriter target) {
        String input = node.input();
        Shape shape = target.type(input).shape();
        new MoveWriter(target.target(), node.name())
                .write(node.map(), input, shape, target.zeroPoint(input));
        target.annotate(node, target.type(input).codes());
    }

    @Override
    public Optional<KeepsCodes> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator()
                .filter(MoveForm::isMover)
                .filter(mover -> !ReshapeForm.reshapes(mover))
                .map(mover -> read(mover, codes, source));
    }

    private static KeepsCodes read(OnnxNode mover, QuantizedResult codes, FormReader source) {
        String input = source.codes(mover, 0);
        IndexMap map = new MoveSteps(source).step(mover, source.shape(input), input);
        return Move.of(codes.keptName(input, source), input, map);
    }

    private static boolean isMover(OnnxNode node) {
        return switch (node.operator()) {
            case Operators.RESHAPE,
                    Operators.FLATTEN,
                    Operators.SQUEEZE,
                    Operators.UNSQUEEZE,
                    Operators.TRANSPOSE,
                    Operators.SLICE,
                    Operators.PAD,
                    Operators.GATHER,
                    Operators.RESIZE ->
                    true;
            default -> false;
        };
    }

    /** {@return whether an operator moves codes, or the result of operators that may move codes} */
    static boolean moves(OnnxNode node, FormReader source) {
        String input = node.input(0);
        boolean unknown =
                !source.isFloats(input)
                        && source.graph().maker(input).filter(MoveForm::isMover).isPresent();
        return isMover(node)
                && (source.isCodes(input) || unknown)
                && ChannelCopies.copied(node, source).isEmpty();
    }

    @Override
    public Optional<KeepsCodes> result(OnnxNode last, FormReader source) {
        if (!moves(last, source) || isPart(last, source)) {
            return Optional.empty();
        }
        if (ReshapeForm.folds(last, source)) {
            return Optional.of(ReshapeForm.folded(last, source));
        }
        Deque<OnnxNode> movers = new ArrayDeque<>(List.of(last));
        while (!source.isCodes(movers.getFirst().input(0))) {
            Optional<OnnxNode> before =
                    source.graph().maker(movers.getFirst().input(0)).filter(MoveForm::isMover);
            if (before.isEmpty()) {
                return Optional.empty();
            }
            movers.addFirst(before.get());
        }
        return Optional.of(read(movers, source));
    }

    /* Rows are folded into a batch of one, and unfolded, by one Reshape after another. */
    private static boolean isPart(OnnxNode node, FormReader source) {
        OnnxGraph graph = source.graph();
        String result = node.output();
        boolean alone = source.isSingle() && node.operator().equals(Operators.RESHAPE);
        return !alone
                && !graph.annotations().has(result)
                && graph.onlyConsumer(result)
                        .filter(next -> isMover(next) && next.input(0).equals(result))
                        .isPresent();
    }

    private static KeepsCodes read(Deque<OnnxNode> movers, FormReader source) {
        MoveSteps steps = new MoveSteps(source);
        OnnxNode first = movers.getFirst();
        String codes = first.input(0);
        IndexMap map = steps.step(first, source.shape(codes), codes);
        source.take(first);
        movers.removeFirst();
        OnnxNode last = first;
        for (OnnxNode mover : movers) {
            IndexMap step = steps.step(mover, map.shape(), codes);
            Optional<IndexMap> joined = map.then(step);
            if (joined.isEmpty()) {
                source.add(node(last.output(), codes, map, source));
                codes = last.output();
            }
            map = joined.orElse(step);
            source.take(mover);
            last = mover;
        }
        if (source.graph().annotations().has(last.output())) {
            source.scales().requireAnnotated(last, codes, source.params(codes));
        }
        return node(last.output(), codes, map, source);
    }

    private static KeepsCodes node(String name, String codes, IndexMap map, FormReader source) {
        source.scales().sameContainers(codes, name);
        return Move.of(name, codes, map);
    }
}
