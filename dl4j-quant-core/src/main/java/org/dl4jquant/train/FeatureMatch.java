// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.Arrays;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * A layer of the student that is to compute what a layer of the teacher computes.
 *
 * @param student the layer of the student, a quantized one
 * @param teacher the layer of the teacher
 * @param kind the property that is compared
 * @param weight of the distance in the loss, above 0
 */
record FeatureMatch(String student, String teacher, Kind kind, double weight) {

    /* Below it, the norm of an attention map counts as this: a layer that is dead has no map. */
    private static final double LEAST_NORM = 1e-12;

    /** The property of a layer that is compared. */
    enum Kind {
        /** The values themselves, by their mean squared difference (FitNets' hint loss). */
        VALUES,
        /** The maps of attention: squares, summed over the channels, at length 1. */
        ATTENTION
    }

    /**
     * A distance for each example of a batch.
     *
     * @param losses one number for each example, weighted: shape [examples]
     * @param gradient of an example's loss by the student's values, shaped like these
     */
    record Distance(INDArray losses, INDArray gradient) {}

    FeatureMatch {
        Objects.requireNonNull(student, "student");
        Objects.requireNonNull(teacher, "teacher");
        Require.argument(
                weight > 0 && Double.isFinite(weight),
                "matching layer '%s' with the teacher's '%s' has weight %s; it must be above 0 and"
                        + " finite",
                student,
                teacher,
                weight);
    }

    /**
     * {@return how far the student is from the teacher}
     *
     * @param mine the student's values, [examples, features...]
     * @param wanted the teacher's, of the same shape; for attention the number of channels, axis 1,
     *     may differ
     * @throws IllegalArgumentException if the shapes do not fit
     */
    Distance distance(INDArray mine, INDArray wanted) {
        return switch (kind) {
            case VALUES -> values(mine, wanted);
            case ATTENTION -> attention(mine, wanted);
        };
    }

    private Distance values(INDArray mine, INDArray wanted) {
        requireFits(Arrays.equals(mine.shape(), wanted.shape()), mine, wanted, "the same shape");
        long features = mine.length() / mine.size(0);
        INDArray difference = mine.sub(wanted.castTo(mine.dataType()));
        INDArray squares = difference.mul(difference).reshape('c', mine.size(0), features);
        INDArray losses = squares.sum(1).muli(weight / features);
        return new Distance(losses, difference.muli(2 * weight / features));
    }

    private Distance attention(INDArray mine, INDArray wanted) {
        boolean fits =
                mine.rank() > 2
                        && mine.rank() == wanted.rank()
                        && mine.size(0) == wanted.size(0)
                        && Arrays.equals(places(mine), places(wanted));
        requireFits(fits, mine, wanted, "channels and the same height and width");
        Maps student = Maps.of(mine);
        INDArray difference = student.unit().sub(Maps.of(wanted.castTo(mine.dataType())).unit());
        INDArray losses = difference.mul(difference).sum(1).muli(weight / 2);
        // d/dA of |Q / |Q| - T|^2 / 2, Q = sum of A^2 over the channels: through the unit length,
        // then 2 A.
        INDArray along = difference.mul(student.unit()).sum(true, 1);
        INDArray toSum =
                difference
                        .subi(student.unit().mulColumnVector(along))
                        .diviColumnVector(student.norm())
                        .muli(2 * weight);
        long[] shape = mine.shape().clone();
        shape[1] = 1;
        INDArray spread = toSum.reshape('c', shape).broadcast(mine.ulike());
        return new Distance(losses, spread.muli(mine));
    }

    /** Maps of attention at length 1, [examples, places], and what their lengths were. */
    private record Maps(INDArray unit, INDArray norm) {
        static Maps of(INDArray values) {
            INDArray sums = values.mul(values).sum(1).dup('c');
            INDArray flat = sums.reshape('c', values.size(0), sums.length() / values.size(0));
            INDArray norm = Transforms.max(flat.norm2(true, 1), LEAST_NORM);
            return new Maps(flat.divColumnVector(norm), norm);
        }
    }

    private static long[] places(INDArray values) {
        return Arrays.copyOfRange(values.shape(), 2, values.rank());
    }

    private void requireFits(boolean fits, INDArray mine, INDArray wanted, String needed) {
        Require.argument(
                fits,
                "layer '%s' has values of shape %s, the teacher's '%s' of %s; matching %s needs %s;"
                        + " match other layers",
                student,
                Arrays.toString(mine.shape()),
                teacher,
                Arrays.toString(wanted.shape()),
                kind == Kind.VALUES ? "values" : "attention",
                needed);
    }
}
