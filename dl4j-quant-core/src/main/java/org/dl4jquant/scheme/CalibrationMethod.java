// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import org.dl4jquant.check.Require;
import org.nd4j.shade.jackson.annotation.JsonSubTypes;
import org.nd4j.shade.jackson.annotation.JsonTypeInfo;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/** How a tensor's clipping range is found in the values seen. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = CalibrationMethod.MinMax.class, name = "min-max"),
    @JsonSubTypes.Type(value = CalibrationMethod.MovingAverage.class, name = "moving-average"),
    @JsonSubTypes.Type(value = CalibrationMethod.Percentile.class, name = "percentile"),
    @JsonSubTypes.Type(value = CalibrationMethod.Sigma.class, name = "sigma"),
    @JsonSubTypes.Type(value = CalibrationMethod.Entropy.class, name = "entropy"),
    @JsonSubTypes.Type(value = CalibrationMethod.MeanSquaredError.class, name = "mse"),
    @JsonSubTypes.Type(value = CalibrationMethod.LsqInitial.class, name = "lsq-initial"),
    @JsonSubTypes.Type(value = CalibrationMethod.AtRunTime.class, name = "run-time")
})
public sealed interface CalibrationMethod {

    /** From the smallest to the largest value seen. */
    record MinMax() implements CalibrationMethod {}

    /**
     * The smallest and largest value of each batch, averaged exponentially over the batches.
     *
     * @param momentum the weight of the past, in [0, 1); 0.9 is customary
     */
    record MovingAverage(@JsonDeserialize(using = StrictScalars.OfDouble.class) double momentum)
            implements CalibrationMethod {
        /** Checks the momentum. */
        public MovingAverage {
            Require.argument(
                    momentum >= 0 && momentum < 1, "momentum %s is outside [0, 1)", momentum);
        }
    }

    /**
     * The range that holds this share of the values.
     *
     * @param percent the share in percent, in (0, 100]; 99.99 is customary
     */
    record Percentile(@JsonDeserialize(using = StrictScalars.OfDouble.class) double percent)
            implements CalibrationMethod {
        /** Checks the share. */
        public Percentile {
            Require.argument(
                    percent > 0 && percent <= 100, "percentile %s is outside (0, 100]", percent);
        }
    }

    /**
     * Mean plus and minus some standard deviations.
     *
     * @param deviations how many, above 0; 3 is customary
     */
    record Sigma(@JsonDeserialize(using = StrictScalars.OfDouble.class) double deviations)
            implements CalibrationMethod {
        /** Checks the count. */
        public Sigma {
            Require.argument(
                    deviations > 0 && Double.isFinite(deviations),
                    "%s standard deviations: the count must be finite and above 0",
                    deviations);
        }
    }

    /** The threshold whose rounded distribution diverges least from the one seen (KL). */
    record Entropy() implements CalibrationMethod {}

    /** The threshold whose rounding has the least mean squared error. */
    record MeanSquaredError() implements CalibrationMethod {}

    /**
     * LSQ's own initial scale, {@code 2 mean(|v|) / sqrt(maxCode)}. At 8 bits it wastes half the
     * range; prefer {@link MeanSquaredError} there unless training is long.
     */
    record LsqInitial() implements CalibrationMethod {}

    /**
     * From the very values that are rounded, in training as in inference (dynamic quantization): no
     * data calibrate it, and no value is clipped.
     */
    record AtRunTime() implements CalibrationMethod {}
}
