// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.RuntimeScale;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * How one tensor is to be quantized.
 *
 * @param format the numbers to round to
 * @param granularity which numbers share a scale
 * @param symmetry where the value 0 lies
 * @param calibration how the range is found
 * @param estimator how gradients pass, and whether the scale learns
 * @param rounding which code a number between two codes gets in training
 */
public record TensorScheme(
        NumberFormat format,
        Granularity granularity,
        @JsonDeserialize(using = StrictScalars.OfSymmetry.class) Symmetry symmetry,
        CalibrationMethod calibration,
        Estimator estimator,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) CodeRounding rounding) {

    /** Signed 8-bit weights, a learned scale per output channel, first fitted by least error. */
    public static final TensorScheme INT8_WEIGHTS = weights(8);

    /** 8-bit activations, one learned scale per tensor, first fitted by least error. */
    public static final TensorScheme INT8_ACTIVATIONS = activations(8);

    /** Checks that the parts go together. */
    public TensorScheme {
        Objects.requireNonNull(format, "format");
        Objects.requireNonNull(granularity, "granularity");
        Objects.requireNonNull(symmetry, "symmetry");
        Objects.requireNonNull(calibration, "calibration");
        Objects.requireNonNull(estimator, "estimator");
        rounding = Objects.requireNonNullElse(rounding, CodeRounding.NEAREST);
        Require.argument(
                rounding == CodeRounding.NEAREST || format instanceof IntFormat,
                "%s draws integer codes, and %s has none; use CodeRounding.NEAREST or an IntFormat",
                rounding,
                format);
        Require.argument(
                rounding == CodeRounding.NEAREST || !(estimator instanceof Estimator.Ewgs),
                "EWGS scales gradients by the distance to the nearest code, which %s may not draw;"
                        + " use CodeRounding.NEAREST, Estimator.LSQ or Estimator.STE",
                rounding);
        Require.argument(
                !(format instanceof IntFormat wide && wide.isWide())
                        || !(granularity instanceof Granularity.PerGroup),
                "groups of weights have codes of at most 8 bits, not %s; use"
                        + " Granularity.PER_CHANNEL",
                format);
        Require.argument(
                granularity == Granularity.PER_TENSOR
                        || granularity == Granularity.PER_ROW
                        || symmetry == Symmetry.SYMMETRIC,
                "per-channel scales cannot be asymmetric: the integer contract has zero point 0"
                        + " for weights; use Symmetry.SYMMETRIC or Granularity.PER_TENSOR");
        requireRunTime(format, granularity, symmetry, calibration, estimator, rounding);
        Require.argument(
                !estimator.learnsZeroPoint() || symmetry == Symmetry.ASYMMETRIC,
                "LSQ+ learns the code of the value 0, which a symmetric scheme has at 0; call"
                        + " withSymmetry(Symmetry.ASYMMETRIC) first, or use Estimator.LSQ");
        Require.argument(
                !(estimator instanceof Estimator.Pact) || symmetry == Symmetry.SYMMETRIC,
                "PACT learns one clipping value, and its codes begin at 0; use Symmetry.SYMMETRIC,"
                        + " or Estimator.LSQ_PLUS");
        Require.argument(
                !(estimator instanceof Estimator.DoReFa) || symmetry == Symmetry.SYMMETRIC,
                "DoReFa has a fixed range that begins at 0; use Symmetry.SYMMETRIC, or"
                        + " Estimator.LSQ_PLUS");
    }

    private static void requireRunTime(
            NumberFormat format,
            Granularity granularity,
            Symmetry symmetry,
            CalibrationMethod calibration,
            Estimator estimator,
            CodeRounding rounding) {
        boolean rows = granularity == Granularity.PER_ROW;
        boolean found = calibration instanceof CalibrationMethod.AtRunTime;
        Require.argument(
                !rows || found,
                "a scale for each row can only be found at run time; use TensorScheme.dynamic(), or"
                        + " Granularity.PER_TENSOR");
        Require.argument(
                !found
                        || (new IntFormat(CodeRange.MAX_BITS).equals(format)
                                && symmetry == (rows ? Symmetry.SYMMETRIC : Symmetry.ASYMMETRIC)
                                && (rows || granularity == Granularity.PER_TENSOR)
                                && estimator == Estimator.STE
                                && rounding == CodeRounding.NEAREST),
                "scales that are found at run time are those of TensorScheme.dynamic() and"
                        + " dynamicPerBatch(), with 8 bits, Estimator.STE and CodeRounding.NEAREST;"
                        + " found %s, %s, %s, %s, %s",
                format,
                granularity,
                symmetry,
                estimator,
                rounding);
    }

    /**
     * {@return the scheme of activations whose scales are found at run time, one for each row: one
     * example, or one step of a sequence (dynamic quantization)}
     */
    public static TensorScheme dynamic() {
        return new TensorScheme(
                new IntFormat(CodeRange.MAX_BITS),
                Granularity.PER_ROW,
                Symmetry.SYMMETRIC,
                new CalibrationMethod.AtRunTime(),
                Estimator.STE);
    }

    /**
     * {@return the scheme of activations that have one scale and one zero point for each batch, as
     * other tools' dynamic quantization has it}
     *
     * <p><strong>An example's codes depend on its neighbours in the batch</strong>: alone, it gets
     * other results than among others. {@link #dynamic} does not have this defect.
     */
    public static TensorScheme dynamicPerBatch() {
        return new TensorScheme(
                new IntFormat(CodeRange.MAX_BITS),
                Granularity.PER_TENSOR,
                Symmetry.ASYMMETRIC,
                new CalibrationMethod.AtRunTime(),
                Estimator.STE);
    }

    /** {@return which values share a scale that is found at run time; null if none is} */
    public @Nullable RuntimeScale runtimeScale() {
        if (!(calibration instanceof CalibrationMethod.AtRunTime)) {
            return null;
        }
        return granularity == Granularity.PER_ROW ? RuntimeScale.PER_ROW : RuntimeScale.PER_BATCH;
    }

    /**
     * A scheme that rounds to nearest.
     *
     * @param format the numbers to round to
     * @param granularity which numbers share a scale
     * @param symmetry where the value 0 lies
     * @param calibration how the range is found
     * @param estimator how gradients pass, and whether the scale learns
     */
    public TensorScheme(
            NumberFormat format,
            Granularity granularity,
            Symmetry symmetry,
            CalibrationMethod calibration,
            Estimator estimator) {
        this(format, granularity, symmetry, calibration, estimator, CodeRounding.NEAREST);
    }

    /**
     * {@return the usual scheme for weights of a width}
     *
     * @param bits the width, 2 to 8, or 16
     */
    public static TensorScheme weights(int bits) {
        return new TensorScheme(
                new IntFormat(bits),
                Granularity.PER_CHANNEL,
                Symmetry.SYMMETRIC,
                new CalibrationMethod.MeanSquaredError(),
                Estimator.LSQ);
    }

    /**
     * {@return the usual scheme for activations of a width}
     *
     * @param bits the width, 2 to 8, or 16
     */
    public static TensorScheme activations(int bits) {
        return new TensorScheme(
                new IntFormat(bits),
                Granularity.PER_TENSOR,
                Symmetry.SYMMETRIC,
                new CalibrationMethod.MeanSquaredError(),
                Estimator.LSQ);
    }

    /**
     * {@return the same scheme with another format}
     *
     * @param newFormat the numbers to round to
     */
    public TensorScheme withFormat(NumberFormat newFormat) {
        return new TensorScheme(newFormat, granularity, symmetry, calibration, estimator, rounding);
    }

    /**
     * {@return the same scheme with another granularity}
     *
     * @param newGranularity which numbers share a scale
     */
    public TensorScheme withGranularity(Granularity newGranularity) {
        return new TensorScheme(format, newGranularity, symmetry, calibration, estimator, rounding);
    }

    /**
     * {@return the same scheme with another symmetry}
     *
     * @param newSymmetry where the value 0 lies
     */
    public TensorScheme withSymmetry(Symmetry newSymmetry) {
        return new TensorScheme(format, granularity, newSymmetry, calibration, estimator, rounding);
    }

    /**
     * {@return the same scheme with another calibration}
     *
     * @param newCalibration how the range is found
     */
    public TensorScheme withCalibration(CalibrationMethod newCalibration) {
        return new TensorScheme(format, granularity, symmetry, newCalibration, estimator, rounding);
    }

    /**
     * {@return the same scheme with another estimator}
     *
     * @param newEstimator how gradients pass
     */
    public TensorScheme withEstimator(Estimator newEstimator) {
        return new TensorScheme(format, granularity, symmetry, calibration, newEstimator, rounding);
    }

    /**
     * {@return the same scheme with another rounding in training}
     *
     * @param newRounding which code a number between two codes gets
     */
    public TensorScheme withRounding(CodeRounding newRounding) {
        return new TensorScheme(format, granularity, symmetry, calibration, estimator, newRounding);
    }
}
