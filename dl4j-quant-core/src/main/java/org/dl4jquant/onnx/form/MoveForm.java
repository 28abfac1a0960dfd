// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.KeepsCodes;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/*
 * Operators in a row are one node as far as one map can say what they do: a tensor between two of
 * them is a node's result only if its scale is annotated, if anything but the next operator reads it,
 * or if the map ends there.
 */
/**
 * Codes or float32 results in other places: Reshape, Transpose, Slice, Pad, Gather and Resize over
 * the codes themselves, in any order, with an annotation of the scale. One of them over dequantized
 * codes is read, too.
 */
final class MoveForm implements NodeForm<Move> {

    /* A node that moves values: a Reshape, a Transpose, a Slice, a Reshape, and some to spare. */
    private static final int MOST_OPERATORS = 8;

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
        TensorType type = target.type(input);
        Shape shape = type.shape();
        int steps = type.hasFreeSteps() ? node.viewedTimeAxis(type) : TensorType.NO_TIME;
        MoveWriter writer =
                new MoveWriter(target.target(), node.name(), steps, target.type(node.name()));
        if (target.type(input).isCodes()) {
            writer.write(node.map(), input, shape, target.zeroPoint(input));
            target.annotate(node, target.type(input).codes());
        } else {
            writer.write(node.map(), input, shape, "");
        }
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
                && (source.isCodes(input) || unknown || movesValues(node, source))
                && ChannelCopies.copied(node, source).isEmpty();
    }

    private static boolean movesValues(OnnxNode node, FormReader source) {
        return source.isFloats(node.input(0))
                && (!ReshapeForm.reshapes(node) || isPartOfValues(node, source));
    }

    /* The names tell which operators on values are one node: such values are not annotated. */
    private static boolean isPartOfValues(OnnxNode node, FormReader source) {
        String result = node.output();
        Optional<OnnxNode> next = nextMover(node, source);
        for (int at = 0; at < MOST_OPERATORS && next.isPresent(); at++) {
            if (result.startsWith(next.get().output() + '/')) {
                return true;
            }
            next = nextMover(next.get(), source);
        }
        return false;
    }

    private static boolean isOnValues(OnnxNode node, FormReader source) {
        Optional<OnnxNode> first = Optional.of(node);
        for (int at = 0; at < MOST_OPERATORS && first.isPresent(); at++) {
            if (isStart(first.get().input(0), source)) {
                return source.isFloats(first.get().input(0));
            }
            first = source.graph().maker(first.get().input(0)).filter(MoveForm::isMover);
        }
        return false;
    }

    private static Optional<OnnxNode> nextMover(OnnxNode node, FormReader source) {
        return source.graph()
                .onlyConsumer(node.output())
                .filter(next -> isMover(next) && next.input(0).equals(node.output()));
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
        while (!isStart(movers.getFirst().input(0), source)) {
            Optional<OnnxNode> before =
                    source.graph().maker(movers.getFirst().input(0)).filter(MoveForm::isMover);
            if (before.isEmpty()) {
                return Optional.empty();
            }
            movers.addFirst(before.get());
        }
        return Optional.of(read(movers, source));
    }

    private static boolean isStart(String input, FormReader source) {
        return source.isCodes(input) || source.isFloats(input);
    }

    /* Rows are folded into a batch of one, and unfolded, by one Reshape after another. */
    private static boolean isPart(OnnxNode node, FormReader source) {
        OnnxGraph graph = source.graph();
        String result = node.output();
        if (isOnValues(node, source)) {
            return isPartOfValues(node, source);
        }
        boolean alone = source.isSingle() && node.operator().equals(Operators.RESHAPE);
        return !alone && !graph.annotations().has(result) && nextMover(node, source).isPresent();
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
        if (source.isCodes(codes)) {
            source.scales().sameContainers(codes, name);
        }
        return Move.of(name, codes, map);
    }
}
