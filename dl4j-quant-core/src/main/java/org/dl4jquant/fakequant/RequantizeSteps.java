// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import org.dl4jquant.nd.Channels;
import org.jspecify.annotations.Nullable;

/**
 * The computation of a {@link Requantizer} for each element, in this order: the number of codes
 * that it stands for, the code, the result. Its arrays belong to it and never change.
 */
final class RequantizeSteps {

    /** The kind of the elements. */
    enum Source {
        /** Integers, to be rounded and then multiplied by the factor. */
        ACCUMULATORS,
        /** Real numbers, to be divided by the factor. */
        VALUES
    }

    /**
     * Codes less their zero point.
     *
     * @param lowest the smallest
     * @param highest the largest
     */
    record Bounds(int lowest, int highest) {}

    private final Source source;
    private final float[] factors;
    private final Channels channels;
    private final @Nullable Bounds codes;
    private final float @Nullable [] table;
    private final float scale;

    private RequantizeSteps(
            Source source,
            float[] factors,
            Channels channels,
            @Nullable Bounds codes,
            float @Nullable [] table,
            float scale) {
        this.source = source;
        this.factors = factors;
        this.channels = channels;
        this.codes = codes;
        this.table = table;
        this.scale = scale;
    }

    /**
     * {@return the steps that multiply rounded accumulators}
     *
     * @param multipliers one for each channel
     * @param channels the elements that share a multiplier
     */
    static RequantizeSteps multiplying(float[] multipliers, Channels channels) {
        return new RequantizeSteps(Source.ACCUMULATORS, multipliers, channels, null, null, 1);
    }

    /**
     * {@return the steps that divide values}
     *
     * @param scale the divisor of all values
     */
    static RequantizeSteps dividing(float scale) {
        return new RequantizeSteps(
                Source.VALUES, new float[] {scale}, Channels.NONE, null, null, 1);
    }

    /**
     * {@return these steps, then rounding to codes, then a multiplication}
     *
     * @param bounds the codes to round to
     * @param factor the factor of the codes
     */
    RequantizeSteps thenScaled(Bounds bounds, float factor) {
        return new RequantizeSteps(source, factors, channels, bounds, null, factor);
    }

    /**
     * {@return these steps, then rounding to codes, then a table}
     *
     * @param bounds the codes to round to
     * @param results the result of each code, from the smallest on
     */
    RequantizeSteps thenLookedUp(Bounds bounds, float[] results) {
        return new RequantizeSteps(source, factors, channels, bounds, results, 1);
    }

    /** {@return the kind of the elements} */
    Source source() {
        return source;
    }

    /** {@return each channel's factor or divisor of its elements} */
    float[] factors() {
        return factors;
    }

    /** {@return the elements that share a factor} */
    Channels channels() {
        return channels;
    }

    /** {@return the codes to round to; null if the number itself is the result} */
    @Nullable Bounds codes() {
        return codes;
    }

    /** {@return the result of each code, from the smallest on; null without a table} */
    float @Nullable [] table() {
        return table;
    }

    /** {@return the factor of the code if there is no table} */
    float scale() {
        return scale;
    }
}
