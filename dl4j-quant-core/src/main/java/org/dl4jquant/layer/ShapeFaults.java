// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Names the layer whose input has a shape that it cannot compute: an image smaller than its kernel,
 * another number of features, or a sequence without steps.
 */
final class ShapeFaults {

    /* Whether a shape fits is what DL4J's own layers check while they compute, each in its own
     * words, and often without a name. Any other shape than that of the calibration may be right,
     * so that nothing is refused that computes. */

    private ShapeFaults() {}

    /**
     * Computes what may fail because of the input's shape.
     *
     * @param <T> the type of its result
     * @param layer the layer's name
     * @param x its input; null before there is one
     * @param calibrated an example's shape in the calibration; null if it is not known
     * @param computation the computation that may fail
     * @return its result
     * @throws IllegalArgumentException if it fails with another shape than that of the calibration,
     *     and the failure does not name the layer
     */
    static <T> T named(
            String layer,
            @Nullable INDArray x,
            int @Nullable [] calibrated,
            Supplier<T> computation) {
        try {
            return computation.get();
        } catch (RuntimeException e) {
            if (x == null || names(e, layer) || fits(x, calibrated)) {
                throw e;
            }
            throw new IllegalArgumentException(
                    String.format(
                            "layer \"%s\" cannot compute its input of shape %s: %s; %s",
                            layer,
                            Arrays.toString(x.shape()),
                            e.getMessage(),
                            calibrated == null
                                    ? "give examples that are no smaller than its kernel"
                                    : "give examples for which its input has the shape "
                                            + Arrays.toString(calibrated)
                                            + ", as in the calibration, or another that it can"
                                            + " compute"),
                    e);
        }
    }

    private static boolean fits(INDArray x, int @Nullable [] calibrated) {
        return calibrated != null
                && Arrays.equals(
                        Arrays.stream(x.shape()).skip(1).toArray(),
                        Arrays.stream(calibrated).asLongStream().toArray());
    }

    private static boolean names(RuntimeException e, String layer) {
        String message = Objects.requireNonNullElse(e.getMessage(), "");
        return message.contains('"' + layer + '"') || message.contains("'" + layer + "'");
    }
}
