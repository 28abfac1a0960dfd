// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * Codes of an example in other places: the one node for everything that computes nothing, such as
 * padding with zeros, cropping, upsampling, transposing and space to depth.
 *
 * <p>Where the map takes no element, the result is the code of 0, the zero point. A map that at
 * most reshapes is a {@link Reshape} instead; {@link #of} chooses. Float32 results move, too, if
 * the map {@linkplain IndexMap#takesRanges takes ranges} of them.
 *
 * @param name the node's name
 * @param input codes, or float32 results
 * @param map from where each code of the result comes
 */
public record Move(String name, String input, IndexMap map) implements KeepsCodes {
    /** Checks that something moves. */
    public Move {
        NodeChecks.requireName(name);
        Objects.requireNonNull(map, "map");
        Require.argument(
                !map.keepsOrder(),
                "move '%s' leaves all codes in their order; a Reshape says so",
                name);
    }

    /**
     * {@return the node of a map: a move, or a reshape if nothing moves}
     *
     * @param name the node's name
     * @param input codes
     * @param map from where each code of the result comes
     */
    public static KeepsCodes of(String name, String input, IndexMap map) {
        return Require.given(map, "map").keepsOrder()
                ? new Reshape(name, input, map.shape())
                : new Move(name, input, map);
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.type(input);
        Require.argument(
                type.isCodes() || map.takesRanges(),
                "move '%s' repeats, pads or reverses the float32 values of '%s', which can only be"
                        + " cut and transposed; quantize them first",
                name,
                input);
        Require.argument(
                type.shape().elements() == map.view().elements(),
                "move '%s': '%s' of shape %s has %d elements, but is read as %s, which has %d",
                name,
                input,
                type.shape(),
                type.shape().elements(),
                map.view(),
                map.view().elements());
        return new TensorType(map.shape(), type.params());
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        TensorType type = inputs.get(0);
        int axis = viewedTimeAxis(type);
        int place = map.order().indexOf(axis);
        int steps = map.view().size(axis);
        if (isLast(steps, place)) {
            return TensorType.NO_TIME;
        }
        Require.argument(
                map.axes().get(place).isIdentity(steps),
                "move '%s' takes the steps %s of a free number; it can take all, or the last",
                name,
                map.axes().get(place));
        return FreeSteps.reshaped(this, map.gathered(), place, map.shape());
    }

    /**
     * {@return the dimension of free steps in the shape that the map reads its input in}
     *
     * @param type the type of the input, which has one
     */
    public int viewedTimeAxis(TensorType type) {
        return FreeSteps.reshaped(this, type.shape(), type.timeAxis(), map.view());
    }

    private boolean isLast(int steps, int place) {
        return map.axes().get(place).equals(AxisIndices.of(steps - 1));
    }

    @Override
    public KeepsCodes withSteps(int steps, TensorType input, TensorType result) {
        if (!input.hasFreeSteps()) {
            return this;
        }
        int axis = viewedTimeAxis(input);
        int place = map.order().indexOf(axis);
        List<AxisIndices> axes = new ArrayList<>(map.axes());
        boolean last = isLast(map.view().size(axis), place);
        axes.set(place, last ? AxisIndices.of(steps - 1) : AxisIndices.identity(steps));
        Shape shape = last ? map.shape() : FreeSteps.resized(map.shape(), result.timeAxis(), steps);
        Shape view = FreeSteps.resized(map.view(), axis, steps);
        return of(name, this.input, new IndexMap(view, map.order(), axes, shape));
    }

    @Override
    public String kind() {
        return "Move";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
