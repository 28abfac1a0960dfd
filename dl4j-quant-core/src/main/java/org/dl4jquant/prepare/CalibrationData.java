// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** The inputs that a network is calibrated with, batch by batch, as often as they are needed. */
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
     * @param reader what reads them
     */
    void forEach(Consumer<Inputs> reader);

    static CalibrationData of(DataSetIterator iterator) {
        if (!iterator.resetSupported()) {
            List<DataSet> kept = new ArrayList<>();
            iterator.forEachRemaining(kept::add);
            return reader -> kept.forEach(batch -> reader.accept(inputs(batch)));
        }
        return reader -> {
            iterator.reset();
            while (iterator.hasNext()) {
                reader.accept(inputs(iterator.next()));
            }
            iterator.reset();
        };
    }

    private static Inputs inputs(DataSet batch) {
        INDArray mask = batch.getFeaturesMaskArray();
        return new Inputs(
                new INDArray[] {batch.getFeatures()}, mask == null ? null : new INDArray[] {mask});
    }

    static CalibrationData of(MultiDataSetIterator iterator) {
        Require.argument(
                iterator.resetSupported(),
                "the calibration data are read twice, but %s cannot be reset; collect them in a"
                        + " list and use an iterator over that",
                iterator.getClass().getSimpleName());
        return reader -> {
            iterator.reset();
            while (iterator.hasNext()) {
                var batch = iterator.next();
                reader.accept(new Inputs(batch.getFeatures(), batch.getFeaturesMaskArrays()));
            }
            iterator.reset();
        };
    }

    /**
     * {@return for each network input whether it is never negative}
     *
     * @param count how many inputs the network has
     * @throws IllegalArgumentException if there is no batch, a batch has another number of inputs,
     *     or an input is NaN or infinite
     */
    default boolean[] nonNegative(int count) {
        boolean[] nonNegative = new boolean[count];
        Arrays.fill(nonNegative, true);
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
                        nonNegative[i] &= least(inputs.features()[i], batches[0], i) >= 0;
                    }
                    batches[0]++;
                });
        Require.argument(
                batches[0] > 0,
                "the calibration data are empty; give a few hundred examples like those the network"
                        + " was trained on");
        return nonNegative;
    }

    private static double least(INDArray features, int batch, int input) {
        Require.argument(
                features.length() > 0, "calibration batch %d: input %d is empty", batch, input);
        // Other types have no minimum, or a sum that overflows.
        boolean wide =
                features.dataType() == DataType.FLOAT || features.dataType() == DataType.DOUBLE;
        INDArray values = wide ? features : features.castTo(DataType.FLOAT);
        double least = values.minNumber().doubleValue();
        Require.argument(
                Double.isFinite(least) && Double.isFinite(values.sumNumber().doubleValue()),
                "calibration batch %d: input %d holds NaN or infinite values; clean the data",
                batch,
                input);
        return least;
    }
}
