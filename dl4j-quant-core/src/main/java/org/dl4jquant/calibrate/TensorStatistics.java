// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * What was seen of one tensor: 64 KiB and a few bytes for each batch, however many values came.
 *
 * <p>Statistics of parts can be merged; all but mean and deviation, which are sums of float64, are
 * then exactly those of the whole. Not safe for use by several threads at once.
 */
public final class TensorStatistics {

    private final String tensor;
    private final Histogram histogram = new Histogram();
    private final List<BatchRange> batches = new ArrayList<>();
    private long count;
    private long zeros;
    private float min = Float.POSITIVE_INFINITY;
    private float max = Float.NEGATIVE_INFINITY;
    private double mean;
    private double squaredDeviations;
    private double magnitudes;

    /**
     * The range of one batch.
     *
     * @param min the smallest value
     * @param max the largest value
     */
    record BatchRange(float min, float max) {}

    /**
     * Makes empty statistics.
     *
     * @param tensor the tensor's name, for messages
     */
    public TensorStatistics(String tensor) {
        this.tensor = Objects.requireNonNull(tensor, "tensor");
    }

    /**
     * Adds one batch of values.
     *
     * @param values an array that holds the batch, in any order
     * @param offset the index of its first value
     * @param length how many values it has
     * @throws IllegalArgumentException if a value is NaN or infinite; nothing is added then
     */
    public void add(float[] values, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, values.length);
        if (length == 0) {
            return;
        }
        requireFinite(tensor, values, offset, length);
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        double sum = 0;
        double magnitude = 0;
        long zero = 0;
        for (int i = offset; i < offset + length; i++) {
            float value = values[i];
            low = Math.min(low, value);
            high = Math.max(high, value);
            sum += value;
            magnitude += Math.abs(value);
            zero += value == 0 ? 1 : 0;
        }
        double batchMean = sum / length;
        double deviations = 0;
        for (int i = offset; i < offset + length; i++) {
            deviations += (values[i] - batchMean) * (values[i] - batchMean);
        }
        histogram.add(values, offset, length, Math.max(-low, high));
        batches.add(new BatchRange(low, high));
        addMoments(length, batchMean, deviations);
        min = Math.min(min, low);
        max = Math.max(max, high);
        magnitudes += magnitude;
        zeros += zero;
    }

    /**
     * Requires that all values are finite.
     *
     * @param tensor the tensor's name
     * @param values an array that holds the values
     * @param offset the index of the first
     * @param length how many there are
     * @throws IllegalArgumentException if one is not; the message names the first
     */
    static void requireFinite(String tensor, float[] values, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            if (!Float.isFinite(values[i])) {
                Require.argument(
                        false,
                        "tensor '%s' holds %s at element %d; every value must be finite: check the"
                                + " data and the network's weights",
                        tensor,
                        values[i],
                        i - offset);
            }
        }
    }

    /**
     * Adds what other statistics have seen, as later batches.
     *
     * @param other statistics of more of the same tensor; not changed
     */
    public void merge(TensorStatistics other) {
        if (other.count == 0) {
            return;
        }
        histogram.add(other.histogram);
        batches.addAll(other.batches);
        addMoments(other.count, other.mean, other.squaredDeviations);
        min = Math.min(min, other.min);
        max = Math.max(max, other.max);
        magnitudes += other.magnitudes;
        zeros += other.zeros;
    }

    /* Chan, Golub and LeVeque's update of mean and squared deviations by those of another part. */
    private void addMoments(long otherCount, double otherMean, double otherDeviations) {
        long total = count + otherCount;
        double distance = otherMean - mean;
        mean += distance * otherCount / total;
        squaredDeviations +=
                otherDeviations + distance * distance * ((double) count * otherCount / total);
        count = total;
    }

    /** {@return the tensor's name} */
    public String tensor() {
        return tensor;
    }

    /** {@return how many values were seen} */
    public long count() {
        return count;
    }

    /**
     * {@return the smallest value seen}
     *
     * @throws IllegalStateException if none was seen
     */
    public float min() {
        requireSeen();
        return min;
    }

    /**
     * {@return the largest value seen}
     *
     * @throws IllegalStateException if none was seen
     */
    public float max() {
        requireSeen();
        return max;
    }

    /**
     * {@return the mean of the values}
     *
     * @throws IllegalStateException if none was seen
     */
    public double mean() {
        requireSeen();
        return mean;
    }

    /**
     * {@return the standard deviation of the values, divided by their count}
     *
     * @throws IllegalStateException if none was seen
     */
    public double deviation() {
        requireSeen();
        return Math.sqrt(squaredDeviations / count);
    }

    /**
     * {@return the mean of the values' magnitudes}
     *
     * @throws IllegalStateException if none was seen
     */
    public double meanMagnitude() {
        requireSeen();
        return magnitudes / count;
    }

    /** {@return how many of the values are exactly 0} */
    long zeros() {
        return zeros;
    }

    Histogram histogram() {
        return histogram;
    }

    List<BatchRange> batches() {
        return batches;
    }

    void requireSeen() {
        Require.state(
                count > 0,
                "tensor '%s' was never seen in calibration; give calibration data that passes"
                        + " through its layer",
                tensor);
    }
}
