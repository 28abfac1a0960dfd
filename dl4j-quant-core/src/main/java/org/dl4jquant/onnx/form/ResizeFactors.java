// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.DataType;

/*
 * With a whole factor k, element i of the result comes from floor(i / k) under three of ONNX's
 * conventions: "asymmetric" with "floor", and the two of half pixels with any rounding to nearest,
 * because (i + 0.5) / k - 0.5 is less than a half away from floor(i / k), whatever k, and never a tie.
 */
/**
 * How often a Resize repeats each element, if that is all it does.
 *
 * @param node the operator
 * @param constants the initializers, which hold its factors or sizes
 */
record ResizeFactors(OnnxNode node, Constants constants) {

    static final String MODE = "mode";
    static final String NEAREST = "nearest";
    static final String NEAREST_MODE = "nearest_mode";
    static final String FLOOR = "floor";
    static final String COORDINATES = "coordinate_transformation_mode";
    static final String ASYMMETRIC = "asymmetric";

    private static final String HALF_PIXEL = "half_pixel";
    private static final List<String> HALF_PIXELS = List.of(HALF_PIXEL, "half_pixel_symmetric");
    private static final List<String> ROUNDINGS =
            List.of("round_prefer_floor", "round_prefer_ceil");
    private static final int SCALES = 2;
    private static final int SIZES = 3;

    /** {@return how often the elements are repeated along each dimension of an example} */
    int[] of(Shape shape) {
        node.requireInputs(SCALES + 1, SIZES + 1);
        node.requireAttributes(
                MODE, NEAREST_MODE, COORDINATES, "cubic_coeff_a", "extrapolation_value");
        node.requireText(MODE, NEAREST);
        String coordinates = node.text(COORDINATES, HALF_PIXEL);
        String rounding = node.text(NEAREST_MODE, ROUNDINGS.get(0));
        node.require(
                (coordinates.equals(ASYMMETRIC) && rounding.equals(FLOOR))
                        || (HALF_PIXELS.contains(coordinates) && ROUNDINGS.contains(rounding)),
                "has %s = %s with %s = %s; understood are %s with %s, and %s with %s",
                COORDINATES,
                coordinates,
                NEAREST_MODE,
                rounding,
                ASYMMETRIC,
                FLOOR,
                HALF_PIXELS,
                ROUNDINGS);
        Optional<String> scales = node.optionalInput(SCALES).filter(name -> !isEmpty(name));
        double[] factors =
                scales.isPresent() ? scales(scales.get()) : sizes(node.input(SIZES), shape);
        node.require(
                factors.length == shape.rank() + 1
                        && factors[0] == 1
                        && Arrays.stream(factors).allMatch(k -> k >= 1 && k == Math.rint(k)),
                "resizes by %s; the batch must stay, and the others be repeated a whole number of"
                        + " times",
                Arrays.toString(factors));
        return Arrays.stream(factors).skip(1).mapToInt(k -> (int) k).toArray();
    }

    private boolean isEmpty(String name) {
        return constants.isOf(name, DataType.FLOAT) && constants.floats(name).length == 0;
    }

    private double[] scales(String name) {
        float[] scales = constants.floats(name);
        return IntStream.range(0, scales.length).mapToDouble(axis -> scales[axis]).toArray();
    }

    private double[] sizes(String name, Shape shape) {
        long[] sizes = constants.longs(name);
        node.require(
                sizes.length == shape.rank() + 1,
                "resizes to %s; an example has %d dimensions, after the batch's",
                Arrays.toString(sizes),
                shape.rank());
        // The batch is free, so a size of 1 leaves it.
        return IntStream.range(0, sizes.length)
                .mapToDouble(
                        axis -> axis == 0 ? sizes[0] : sizes[axis] / (double) shape.size(axis - 1))
                .toArray();
    }
}
