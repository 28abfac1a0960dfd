// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.MultiDataSetIteratorAdapter;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** Calibration reads a documented number of examples, and leaves the iterator to its owner. */
class CalibrationLimitTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    /** Batches of an iterator that counts, and perhaps cannot be reset. */
    private static final class Counting extends ListDataSetIterator<DataSet> {

        private static final long serialVersionUID = 1L;

        private final boolean resettable;
        private int read;

        Counting(DataSet data, int batch, boolean resettable) {
            super(data.asList(), batch);
            this.resettable = resettable;
        }

        @Override
        public boolean resetSupported() {
            return resettable;
        }

        @Override
        public synchronized void reset() {
            if (!resettable) {
                throw new UnsupportedOperationException("reset");
            }
            super.reset();
        }

        @Override
        public synchronized DataSet next() {
            DataSet batch = super.next();
            read += batch.numExamples();
            return batch;
        }
    }

    private static MultiLayerNetwork network() {
        return Networks.of(
                InputType.feedForward(3),
                new DenseLayer.Builder().name("first").nOut(4).build(),
                new OutputLayer.Builder().name("last").nOut(Networks.CLASSES).build());
    }

    /** Data whose example i holds i everywhere. */
    private static DataSet ramp(int examples) {
        INDArray features = Nd4j.create(examples, 3);
        for (int i = 0; i < examples; i++) {
            features.getRow(i).assign(i);
        }
        return new DataSet(features, Networks.labels(examples));
    }

    private static List<Float> read(CalibrationData data) {
        List<Float> seen = new ArrayList<>();
        data.forEach(
                batch -> {
                    for (int i = 0; i < batch.examples(); i++) {
                        seen.add(batch.features()[0].getFloat(i, 1));
                    }
                });
        return seen;
    }

    @Property(tries = 100)
    void handsOutTheFirstExamplesInEachRound(
            @ForAll @IntRange(min = 1, max = 40) int examples,
            @ForAll @IntRange(min = 1, max = 12) int batch,
            @ForAll @IntRange(min = 1, max = 50) int most,
            @ForAll boolean resettable,
            @ForAll boolean multi) {
        Counting iterator = new Counting(ramp(examples), batch, resettable);
        CalibrationData data =
                multi
                        ? CalibrationData.of(new MultiDataSetIteratorAdapter(iterator), most)
                        : CalibrationData.of((DataSetIterator) iterator, most);
        List<Float> expected = new ArrayList<>();
        for (int i = 0; i < Math.min(most, examples); i++) {
            expected.add((float) i);
        }

        assertEquals(expected, read(data));
        assertEquals(expected, read(data));

        assertEquals(examples > most, data.isCut());
        int rounds = resettable ? 2 : 1;
        int batches = (Math.min(most, examples) + batch - 1) / batch;
        assertEquals(rounds * Math.min(examples, batches * batch), iterator.read);
        if (resettable) {
            assertTrue(iterator.hasNext());
            assertEquals(0, iterator.next().getFeatures().getFloat(0, 0));
        } else {
            assertEquals(batches * batch < examples, iterator.hasNext());
        }
    }

    @Test
    void anIteratorIsAtItsBeginningAfterAFailure() {
        Counting iterator = new Counting(ramp(20), 4, true);
        CalibrationData data = CalibrationData.of((DataSetIterator) iterator, 100);

        assertThrows(
                IllegalStateException.class,
                () ->
                        data.forEach(
                                batch -> {
                                    throw new IllegalStateException("not this batch");
                                }));

        assertEquals(0, iterator.next().getFeatures().getFloat(0, 0));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theScalesAreThoseOfTheFirstExamples(boolean resettable) {
        PreparedNetwork<MultiLayerNetwork> cut =
                Preparation.prepare(network(), INT8, new Counting(ramp(64), 10, resettable), 25);
        PreparedNetwork<MultiLayerNetwork> whole =
                Preparation.prepare(network(), INT8, new Counting(ramp(25), 25, true));

        assertEquals(whole.network().params(), cut.network().params());
        assertEquals(
                List.of(
                        "the scales are those of the first 25 calibration examples; the data have"
                                + " more, which Preparation.prepare reads if it is given a larger"
                                + " number of examples"),
                cut.report().warnings());
        assertTrue(cut.report().toString().contains("the first 25 calibration examples"));
        assertEquals(List.of(), whole.report().warnings());
    }

    @Test
    void maskedSequencesAreCutWithTheirMasks() {
        INDArray features = Networks.normal(3, 6, 2, 5);
        DataSet data = new DataSet(features, Nd4j.zeros(6, 3, 5), Nd4j.ones(6, 5), null);
        List<long[]> shapes = new ArrayList<>();
        CalibrationData.of((DataSetIterator) new Counting(data, 6, true), 4)
                .forEach(
                        batch -> {
                            shapes.add(batch.features()[0].shape());
                            shapes.add(batch.masks()[0].shape());
                        });
        assertEquals("[4, 2, 5]", Arrays.toString(shapes.get(0)));
        assertEquals("[4, 5]", Arrays.toString(shapes.get(1)));
    }

    @Test
    void readsNoMoreThanTheDocumentedNumber() {
        int many = Preparation.CALIBRATION_EXAMPLES + 50;
        Counting iterator = new Counting(ramp(many), 512, true);
        Preparation.prepare(network(), INT8, iterator);
        assertEquals(2 * Preparation.CALIBRATION_EXAMPLES, iterator.read);
    }

    @Test
    void refusesToCalibrateWithNothing() {
        assertEquals(
                "calibration with 0 examples; give at least one",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        Preparation.prepare(
                                                network(), INT8, new Counting(ramp(4), 2, true), 0))
                        .getMessage());
    }

    @Test
    void aMultiDataSetIteratorNeedNotBeResettable() {
        MultiDataSetIterator once =
                new MultiDataSetIteratorAdapter(new Counting(ramp(12), 5, false));
        assertFalse(once.resetSupported());
        PreparedNetwork<?> prepared =
                Preparation.prepare(network().toComputationGraph(), INT8, once);
        assertTrue(prepared.report().warnings().isEmpty());
    }
}
