// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Arrays;
import java.util.function.Consumer;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The inputs that a network is calibrated with, batch by batch, as often as they are needed, but no
 * more examples than a few thousand: scales hardly change with more, and each round takes time.
 */
interface CalibrationData {

    /** One batch. */
    final class Inputs {
        private final INDArray[] features;
        private final INDArray @Nullable [] masks;

        /**
         * Takes one batch.
         *
         * @param features one array for each network input
         * @param masks one mask for each network input; null without masks
         */
        Inputs(INDArray[] features, INDArray @Nullable [] masks) {
            this.features = features;
            this.masks = masks;
        }

        static Inputs of(DataSet batch) {
            INDArray mask = batch.getFeaturesMaskArray();
            return new Inputs(
                    new INDArray[] {batch.getFeatures()},
                    mask == null ? null : new INDArray[] {mask});
        }

        static Inputs of(MultiDataSet batch) {
            return new Inputs(batch.getFeatures(), batch.getFeaturesMaskArrays());
        }

        /* A batch without features is refused where its number is known. */
        int examples() {
            return features.length == 0 || features[0] == null || features[0].isEmpty()
                    ? 0
                    : Math.toIntExact(features[0].size(0));
        }

        /** {@return copies of the first examples, in no workspace} */
        Inputs copyOf(int examples) {
            return new Inputs(
                    copy(features, examples), masks == null ? null : copy(masks, examples));
        }

        private static INDArray[] copy(INDArray[] arrays, int examples) {
            INDArray[] copies = new INDArray[arrays.length];
            for (int i = 0; i < copies.length; i++) {
                INDArray array = arrays[i];
                if (array != null) {
                    copies[i] =
                            Detached.compute(
                                    () ->
                                            array.get(NDArrayIndex.interval(0, examples))
                                                    .dup(array.ordering()));
                }
            }
            return copies;
        }

        INDArray[] features() {
            return features;
        }

        INDArray @Nullable [] masks() {
            return masks;
        }
    }

    /**
     * Hands out every batch once.
     *
     * @param reader the reader of them
     */
    void forEach(Consumer<Inputs> reader);

    /** {@return whether the data have more examples than are handed out; known after one round} */
    boolean isCut();

    /** {@return how many examples are handed out at most} */
    int most();

    /**
     * {@return the examples of an iterator, from its first on}
     *
     * @param iterator reset before each round and after it; if it cannot be reset, the examples
     *     that are left in it, which are kept in memory
     * @param most how many examples to read at most, above 0
     */
    static CalibrationData of(DataSetIterator iterator, int most) {
        return new LimitedBatches<>(
                iterator, iterator.resetSupported() ? iterator::reset : null, Inputs::of, most);
    }

    /**
     * {@return the examples of an iterator, from its first on}
     *
     * @param iterator as {@link #of(DataSetIterator, int)}
     * @param most how many examples to read at most, above 0
     */
    static CalibrationData of(MultiDataSetIterator iterator, int most) {
        return new LimitedBatches<>(
                iterator, iterator.resetSupported() ? iterator::reset : null, Inputs::of, most);
    }

    /**
     * {@return for each network input the least and the largest of its values}
     *
     * @param count how many inputs the network has
     * @throws IllegalArgumentException if there is no batch, a batch has another number of inputs,
     *     or an input is NaN or infinite, or 0 everywhere
     */
    default InputRange[] ranges(int count) {
        InputRange[] ranges = new InputRange[count];
        Arrays.fill(ranges, InputRange.EMPTY);
        int[] batches = {0};
        forEach(
                inputs -> {
                    Require.argument(
                            inputs.features().length == count,
                            "calibration batch %d has %d inputs, the network has %d",
                            batches[0],
                            inputs.features().length,
                            count);
                    for (int i = 0; i < count; i++) {
                        ranges[i] = ranges[i].with(range(inputs.features()[i], batches[0], i));
                    }
                    batches[0]++;
                });
        Require.argument(
                batches[0] > 0,
                "the calibration data are empty; give a few hundred examples like those the network"
                        + " was trained on");
        for (int i = 0; i < count; i++) {
            Require.argument(
                    !ranges[i].isZero(),
                    "the calibration data are 0 everywhere at input %d, so that no scale can be"
                            + " found for it: every other value would be clipped; give examples"
                            + " like those the network was trained on",
                    i);
        }
        return ranges;
    }

    private static InputRange range(INDArray features, int batch, int input) {
        Require.argument(
                features != null,
                "calibration batch %d: input %d has no features; give an array for each input",
                batch,
                input);
        Require.argument(
                features.length() > 0,
                "calibration batch %d: input %d is empty, of shape %s; give at least one example,"
                        + " and at least one step of sequences",
                batch,
                input,
                Arrays.toString(features.shape()));
        // Other types have no minimum, or a sum that overflows.
        boolean wide =
                features.dataType() == DataType.FLOAT || features.dataType() == DataType.DOUBLE;
        INDArray values = wide ? features : features.castTo(DataType.FLOAT);
        double least = values.minNumber().doubleValue();
        double most = values.maxNumber().doubleValue();
        Require.argument(
                Double.isFinite(least) && Double.isFinite(values.sumNumber().doubleValue()),
                "calibration batch %d: input %d holds NaN or infinite values; clean the data",
                batch,
                input);
        return new InputRange(least, most);
    }
}
