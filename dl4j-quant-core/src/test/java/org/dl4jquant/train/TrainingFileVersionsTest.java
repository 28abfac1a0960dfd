// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** Golden files of a training's formats stay readable; {@link #main} made them. */
class TrainingFileVersionsTest {

    private static final String ANSWERS = "answers-2.bin";
    private static final String RESUMED = "resumed-1.zip";
    private static final int EPOCHS = 2;
    private static final int INPUTS = 3;
    private static final int CLASSES = 2;
    private static final int BATCH = 4;
    private static final float[] ANSWER = {1, -0.5f, Float.MIN_VALUE};

    @TempDir private Path folder;

    /**
     * Makes the golden files.
     *
     * @param args the folder
     */
    public static void main(String[] args) throws IOException {
        Path into = Path.of(args[0]);
        try (AnswerCache cache = AnswerFile.open(into.resolve(ANSWERS), "abc")) {
            cache.put(example(), ANSWER);
        }
        MultiLayerNetwork network =
                Preparation.prepare(floats(), QuantSpec.of(LayerScheme.INT4), data()).network();
        schedule().attachTo(network);
        network.fit(data(), EPOCHS);
        ExactResume.save(network, into.resolve(RESUMED).toFile());
    }

    private static AnswerCache.Example example() {
        byte[] digest = new byte[32];
        digest[31] = 7;
        return AnswerCache.Example.of(digest);
    }

    private static MultiLayerNetwork floats() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(1)
                                .updater(new Sgd(0.1))
                                .list()
                                .layer(
                                        new OutputLayer.Builder()
                                                .name("output")
                                                .nOut(CLASSES)
                                                .build())
                                .setInputType(InputType.feedForward(INPUTS))
                                .build());
        network.init();
        return network;
    }

    private static DataSetIterator data() {
        return Networks.batches(
                new DataSet(
                        Nd4j.linspace(-1, 1, BATCH * INPUTS).reshape(BATCH, INPUTS),
                        Nd4j.create(new float[][] {{1, 0}, {0, 1}, {1, 0}, {0, 1}})));
    }

    private static PrecisionSchedule schedule() {
        return PrecisionSchedule.builder()
                .untilEpoch(1, Precision.INT8)
                .then(Precision.INT4)
                .build();
    }

    private File golden(String name) throws IOException {
        try (var file = getClass().getResourceAsStream(name)) {
            Path copy = folder.resolve(name);
            Files.write(copy, Objects.requireNonNull(file).readAllBytes());
            return copy.toFile();
        }
    }

    @Test
    void aModelOfVersion1GoesOnWhereItWas() throws IOException {
        MultiLayerNetwork network = ExactResume.restoreMultiLayerNetwork(golden(RESUMED));
        assertEquals(EPOCHS, network.getEpochCount());
        PrecisionSchedule schedule = schedule();
        schedule.attachTo(network);
        assertEquals(1, schedule.stage());
    }

    @Test
    void notesOfAnotherVersionAreRefusedByName() throws IOException {
        MultiLayerNetwork network = ExactResume.restoreMultiLayerNetwork(golden(RESUMED));
        note(network, "resume.version", "2");
        assertRefused(network, "resume.version", () -> ExactResume.restored(network));
        MultiLayerNetwork other = ExactResume.restoreMultiLayerNetwork(golden(RESUMED));
        note(other, "schedule.version", "2");
        assertRefused(other, "schedule.version", () -> schedule().attachTo(other));
    }

    private static void note(MultiLayerNetwork network, String name, String value) {
        QuantizedLayer first = (QuantizedLayer) network.getLayer(0).conf().getLayer();
        Map<String, String> notes = new java.util.TreeMap<>(first.trainingNotes());
        notes.put(name, value);
        first.setTrainingNotes(notes);
    }

    private static void assertRefused(MultiLayerNetwork network, String name, Runnable call) {
        String refused =
                assertThrows(IllegalArgumentException.class, call::run, network::toString)
                        .getMessage();
        assertEquals(
                "the network's training note '"
                        + name
                        + "' has version 2, and this version of dl4j-quant reads 1: use a newer"
                        + " version of dl4j-quant",
                refused);
    }

    @Test
    void answersOfVersion2AreRead() throws IOException {
        try (AnswerCache cache = AnswerFile.open(golden(ANSWERS).toPath(), "abc")) {
            assertArrayEquals(ANSWER, cache.get(example()));
            byte[] other = new byte[32];
            assertNull(cache.get(AnswerCache.Example.of(other)));
        }
    }

    @Test
    void answersOfAnotherVersionAreRefusedWithARemedy() throws IOException {
        Path file = golden(ANSWERS).toPath();
        byte[] bytes = Files.readAllBytes(file);
        bytes["dl4j-quant teacher answers ".getBytes(StandardCharsets.UTF_8).length] = '3';
        Files.write(file, bytes);
        String refused =
                assertThrows(IllegalArgumentException.class, () -> AnswerFile.open(file, "abc"))
                        .getMessage();
        assertTrue(refused.contains("delete it, or name another file"), refused);
        assertArrayEquals(bytes, Files.readAllBytes(file));
    }
}
