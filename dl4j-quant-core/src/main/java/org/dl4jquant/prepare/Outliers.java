// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.dl4jquant.calibrate.Calibration;
import org.dl4jquant.calibrate.TensorStatistics;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.CalibrationMethod;
import org.jspecify.annotations.Nullable;

/**
 * How far each calibration example reaches in one tensor, and whether a few of them take the codes
 * from all others.
 */
final class Outliers {

    /** Fewer examples have no outliers: any of them could be what the network will see. */
    private static final int LEAST_EXAMPLES = 8;

    /** At most one in so many examples is an outlier. */
    private static final int ONE_OF = 100;

    /**
     * The share of the codes that all other examples must use: a third, so that less than two bits
     * are lost. Not tuned; the reach of 1,000 normal tensors differs by a factor below 2.
     */
    private static final double LEAST_SHARE = 1 / 3.0;

    private static final int NAMED = 5;

    private static final List<CalibrationMethod> REMEDIES =
            List.of(
                    new CalibrationMethod.Percentile(99.99),
                    new CalibrationMethod.Percentile(99.9),
                    new CalibrationMethod.Percentile(99));

    private float[] reaches = {};

    /**
     * Adds values.
     *
     * @param values the tensor for a batch, example after example
     * @param first the number of the batch's first example
     * @param examples how many examples the batch has
     */
    void add(float[] values, int first, int examples) {
        int length = values.length / examples;
        if (reaches.length < first + examples) {
            reaches = Arrays.copyOf(reaches, first + examples);
        }
        for (int example = 0; example < examples; example++) {
            float reach = reaches[first + example];
            for (int i = example * length; i < (example + 1) * length; i++) {
                reach = Math.max(reach, Math.abs(values[i]));
            }
            reaches[first + example] = reach;
        }
    }

    /**
     * {@return the warning; null if the examples share the codes}
     *
     * @param tensor the tensor's name
     * @param params how its codes stand for values
     * @param scheme how they were found
     * @param seen its values
     */
    @Nullable String warning(
            String tensor, QuantParams params, ActivationScheme scheme, TensorStatistics seen) {
        if (reaches.length < LEAST_EXAMPLES) {
            return null;
        }
        float[] sorted = reaches.clone();
        Arrays.sort(sorted);
        int few = Math.max(1, sorted.length / ONE_OF);
        float others = sorted[sorted.length - 1 - few];
        double share = others / reachOf(params);
        if (others <= 0 || share >= LEAST_SHARE) {
            return null;
        }
        List<Integer> far = far(others);
        if (far.isEmpty()) {
            return unused(tensor, params, sorted[sorted.length - 1]);
        }
        return String.format(
                Locale.ROOT,
                "%s: all but %d of %d calibration examples use %d of its %d codes (%.1f %%): they"
                        + " reach %.4g, and %s reaches %.4g. %sleave out what is no example of your"
                        + " data",
                tensor,
                few,
                sorted.length,
                codes(share, params),
                codes(1, params),
                100 * share,
                others,
                far.size() == 1 ? "example " + far.get(0) : "one of the examples " + far,
                sorted[sorted.length - 1],
                remedy(others, scheme, seen));
    }

    /* No example stands out: the scale itself is too coarse. */
    private static String unused(String tensor, QuantParams params, float largest) {
        double share = largest / reachOf(params);
        return String.format(
                Locale.ROOT,
                "%s: the calibration examples use %d of its %d codes (%.1f %%): they reach %.4g, and"
                        + " its codes reach %.4g. %s",
                tensor,
                codes(Math.min(share, 1), params),
                codes(1, params),
                100 * Math.min(share, 1),
                largest,
                reachOf(params),
                params.scale() <= Calibration.MIN_SCALE
                        ? "No scale is smaller: multiply the data by a factor"
                        : "Calibrate with another method, such as CalibrationMethod.MinMax");
    }

    private List<Integer> far(float others) {
        List<Integer> far = new ArrayList<>();
        for (int i = 0; i < reaches.length && far.size() < NAMED; i++) {
            if (reaches[i] * LEAST_SHARE > others) {
                far.add(i);
            }
        }
        return far;
    }

    private static String remedy(float others, ActivationScheme scheme, TensorStatistics seen) {
        for (CalibrationMethod method : REMEDIES) {
            QuantParams params =
                    Calibration.fit(seen, method, scheme.range(), scheme.scheme().symmetry());
            double share = others / reachOf(params);
            if (share >= LEAST_SHARE) {
                return String.format(
                        "Calibrate with CalibrationMethod.%s, with which they use %d, or ",
                        method, codes(Math.min(share, 1), params));
            }
        }
        return "No percentile helps: ";
    }

    private static double reachOf(QuantParams params) {
        int zero = params.zeroPoint();
        return params.scale()
                * (double) Math.max(params.range().max() - zero, zero - params.range().min());
    }

    private static long codes(double share, QuantParams params) {
        return Math.round(share * (params.range().max() - params.range().min())) + 1;
    }
}
