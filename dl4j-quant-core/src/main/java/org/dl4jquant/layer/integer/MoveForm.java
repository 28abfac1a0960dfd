// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * The form of steps that only move the codes of an example, or add zeros. The network infers them
 * with DL4J's own copies: they are exact, and 0 is the value of the zero point.
 *
 * @param rank dimensions of one example, without the batch; 0 for any
 * @param map from where each element of a result comes, given one example's shape
 */
public record MoveForm(int rank, Function<Shape, IndexMap> map) implements IntegerForm {

    /** Checks that there is a map. */
    public MoveForm {
        Objects.requireNonNull(map, "map");
    }

    /** The indices of one axis. */
    @FunctionalInterface
    public interface AxisFunction {
        /**
         * {@return the indices}
         *
         * @param axis from 0, among those that change
         * @param size of the axis
         */
        AxisIndices of(int axis, int size);
    }

    /**
     * Returns the support of a layer or vertex without quantizers of its own.
     *
     * @param configuration its configuration, for messages
     * @param rank dimensions of one example, without the batch; 0 for any
     * @param map from where each element of a result comes, given one example's shape
     * @return a form
     */
    public static IntegerSupport of(Object configuration, int rank, Function<Shape, IndexMap> map) {
        return supported(configuration, rank, map);
    }

    /**
     * Returns the support of a layer of images in one of DL4J's formats.
     *
     * @param configuration its configuration, for messages
     * @param format where the channels are
     * @param map from where each element of a result comes, given an image's shape
     * @return a form
     */
    public static IntegerSupport ofImages(
            Object configuration, CNN2DFormat format, Function<Shape, IndexMap> map) {
        return ChannelsLastForm.of(format, supported(configuration, Shape.IMAGE_RANK, map));
    }

    /**
     * Returns a map that takes indices of the last axes, one after the other.
     *
     * @param axes how many axes
     * @param indices the indices of each
     * @return the map, given one example's shape
     */
    public static Function<Shape, IndexMap> ofLastAxes(int axes, AxisFunction indices) {
        Require.given(indices, "indices");
        return shape -> {
            int first = shape.rank() - axes;
            return IndexMap.select(
                    shape,
                    first,
                    IntStream.range(0, axes)
                            .mapToObj(axis -> indices.of(axis, shape.size(first + axis)))
                            .toList());
        };
    }

    private static IntegerSupport.Supported supported(
            Object configuration, int rank, Function<Shape, IndexMap> map) {
        Require.given(map, "map");
        Require.given(configuration, "configuration");
        return IntegerSupport.of(
                tensors ->
                        tensors.isQuantized()
                                ? RefusedForm.ofQuantizers(configuration)
                                : new MoveForm(rank, map));
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(inputs.get(0));
        Shape shape = graph.type(codes).shape();
        if (rank > 0 && shape.rank() != rank) {
            throw new IntegerRefusal(
                    "it reads " + shape + ", where it takes " + rank + " dimensions for an example",
                    "put a preprocessor or a ReshapeVertex before it");
        }
        IndexMap moved = map.apply(shape);
        return moved.keepsOrder() && moved.shape().equals(shape)
                ? inputs
                : List.of(new Signal.Codes(graph.add(Move.of(graph.name(), codes, moved))));
    }
}
