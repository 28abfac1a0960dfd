// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.CheckpointListener;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.scheme.Precision;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** A training that was stopped goes on in another process, to the same bits. */
class ExactResumeTest {

    private static final long SEED = 20260101;
    private static final int HALF = 3;
    private static final long MINUTES = 3;

    @TempDir private Path folder;

    /* Half precision, 8 bits and 4 bits; training stops in the middle of a stage that waits for a
     * plateau, so that its counters matter. */
    static PrecisionSchedule schedule() {
        return PrecisionSchedule.builder()
                .untilIteration(4, Precision.FP16)
                .untilPlateau(2, 0.05, 5, Precision.INT8)
                .then(Precision.INT4)
                .build();
    }

    private static MultiLayerNetwork fresh() {
        MultiLayerNetwork network = StagedNetworks.chain(new Adam(0.01));
        Nd4j.getRandom().setSeed(SEED);
        schedule().attachTo(network);
        return network;
    }

    private String inAnotherProcess(File model) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx1g");
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("org.eclipse.deeplearning4j."))
                .sorted()
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        command.addAll(List.of(ResumedTraining.class.getName(), model.toString(), "" + HALF));
        Path log = folder.resolve("child.log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        // A long class path on the command line is no good to every native library.
        builder.environment().put("CLASSPATH", classPath());
        Process child = builder.start();
        assertTrue(child.waitFor(MINUTES, TimeUnit.MINUTES), "the other process hangs");
        String text = Files.readString(log, StandardCharsets.UTF_8);
        assertEquals(0, child.exitValue(), text);
        return text.lines()
                .filter(line -> line.startsWith(Fingerprint.PREFIX))
                .findFirst()
                .orElseThrow(() -> new AssertionError(text));
    }

    private static String classPath() {
        String surefire = System.getProperty("surefire.test.class.path");
        return surefire == null ? System.getProperty("java.class.path") : surefire;
    }

    @Test
    void twoHalvesInTwoProcessesAreOneTrainingBitForBit() throws Exception {
        MultiLayerNetwork whole = fresh();
        whole.fit(StagedNetworks.batches(), 2 * HALF);
        String expected = Fingerprint.of(whole);

        MultiLayerNetwork half = fresh();
        half.fit(StagedNetworks.batches(), HALF);
        File file = folder.resolve("half.zip").toFile();
        ExactResume.save(half, file);
        assertNotEquals(expected, Fingerprint.of(half));

        assertEquals(expected, inAnotherProcess(file));
    }

    private File firstCheckpoint() {
        File directory = folder.toFile();
        return new File(
                directory, CheckpointListener.availableCheckpoints(directory).get(0).getFilename());
    }

    @Test
    void aGraphGoesOnFromACheckpointThatAListenerWrote() throws Exception {
        ComputationGraph whole = StagedNetworks.residual();
        Nd4j.getRandom().setSeed(SEED);
        schedule().attachTo(whole);
        CheckpointListener checkpoints =
                new CheckpointListener.Builder(folder.toFile()).saveEveryNEpochs(HALF).build();
        whole.addListeners(checkpoints);
        ExactResume.attachTo(whole);
        whole.fit(StagedNetworks.batches(), 2 * HALF);
        String expected = Fingerprint.of(whole);
        File half = firstCheckpoint();

        ComputationGraph resumed = ExactResume.restoreComputationGraph(half);
        assertEquals(HALF, resumed.getConfiguration().getEpochCount());
        schedule().attachTo(resumed);
        resumed.fit(StagedNetworks.batches(), HALF);
        assertEquals(expected, Fingerprint.of(resumed));
    }

    @Test
    void aCheckpointInTheMiddleOfAnEpochHasTheRightCounts() throws IOException {
        MultiLayerNetwork whole = fresh();
        CheckpointListener checkpoints =
                new CheckpointListener.Builder(folder.toFile()).saveEveryNIterations(2).build();
        whole.addListeners(checkpoints);
        ExactResume.attachTo(whole);
        for (int i = 0; i < 6; i++) {
            whole.fit(StagedNetworks.data());
        }
        String expected = Fingerprint.of(whole);
        File file = firstCheckpoint();
        MultiLayerNetwork resumed = ExactResume.restoreMultiLayerNetwork(file);
        schedule().attachTo(resumed);
        int done = resumed.getIterationCount();
        assertTrue(done > 0 && done < 6, "resumes at " + done);
        for (int i = done; i < 6; i++) {
            resumed.fit(StagedNetworks.data());
        }
        assertEquals(expected, Fingerprint.of(resumed));
    }

    @Test
    void trainingTwiceFromOneSeedGivesOneHash() {
        MultiLayerNetwork first = fresh();
        first.fit(StagedNetworks.batches(), HALF);
        String expected = Fingerprint.of(first);
        MultiLayerNetwork second = fresh();
        second.fit(StagedNetworks.batches(), HALF);
        assertEquals(expected, Fingerprint.of(second));
    }

    @Test
    void withoutTheRandomNumbersDropoutGoesAnotherWay() throws IOException {
        MultiLayerNetwork half = fresh();
        half.fit(StagedNetworks.batches(), 1);
        File file = folder.resolve("half.zip").toFile();
        ExactResume.save(half, file);
        half.fit(StagedNetworks.batches());
        MultiLayerNetwork exact = ExactResume.restoreMultiLayerNetwork(file);
        schedule().attachTo(exact);
        exact.fit(StagedNetworks.batches());
        assertEquals(half.params(), exact.params());
        MultiLayerNetwork careless = ModelSerializer.restoreMultiLayerNetwork(file);
        schedule().attachTo(careless);
        careless.fit(StagedNetworks.batches());
        assertNotEquals(half.params(), careless.params());
    }

    @Test
    void namesTheFileWhoseNotesAreDamaged() throws IOException {
        MultiLayerNetwork network = fresh();
        File file = folder.resolve("network.zip").toFile();
        ExactResume.save(network, file);
        new TrainedNetwork(network).addNotes(Map.of("resume.iterations", "-1"));
        ModelSerializer.writeModel(network, file, true);
        IOException refused =
                assertThrows(IOException.class, () -> ExactResume.restoreMultiLayerNetwork(file));
        assertTrue(
                refused.getMessage()
                        .startsWith(
                                "cannot resume from "
                                        + file
                                        + ": the network's training note 'resume.iterations' is -1"),
                refused.getMessage());
    }

    @Test
    void savingLeavesNoPartBehind() throws IOException {
        MultiLayerNetwork network = fresh();
        File file = folder.resolve("network.zip").toFile();
        ExactResume.save(network, file);
        ExactResume.save(network, file);
        assertTrue(file.exists());
        assertFalse(folder.resolve("network.zip.part").toFile().exists());
    }
}
