// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.CollectScoresListener;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

class DistillationTest {

    private static final InputType INPUT = InputType.convolutional(6, 6, 2);
    private static final long[] EXAMPLE = {2, 6, 6};

    /* Central differences in float64 of a network with tanh, steps of 1e-5. */
    private static final double STEP = 1e-5;
    private static final double DIFFERENCE_ERROR = 1e-6;

    private static final int EXAMPLES = 5;
    private static final int STEPS = 3;

    @TempDir private Path folder;

    private static ConvolutionLayer conv(int channels) {
        return new ConvolutionLayer.Builder(3, 3)
                .name("conv")
                .nOut(channels)
                .activation(Activation.TANH)
                .build();
    }

    private static OutputLayer output(int classes) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("out")
                .nOut(classes)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().name("dense").nOut(5).activation(Activation.TANH).build();
    }

    private static MultiLayerNetwork network(int seed, int channels) {
        MultiLayerNetwork network =
                Networks.of(new Sgd(0.03), INPUT, conv(channels), dense(), output(3));
        network.setParams(Networks.normal(seed, network.numParams()).muli(0.2));
        return network;
    }

    private static DataSet data() {
        return Networks.data(24, EXAMPLE);
    }

    private static MultiLayerNetwork student(MultiLayerNetwork floats) {
        return Preparation.prepare(floats, QuantSpec.of(LayerScheme.INT8), Networks.batches(data()))
                .network();
    }

    private static Distillation whole(MultiLayerNetwork teacher) {
        return Distillation.from(teacher)
                .withSoftLabels(3, 0.6)
                .withValues("dense", "dense", 0.4)
                .withAttention("conv", "conv", 0.7);
    }

    // ---- gradients ------------------------------------------------------------------------------

    private static NeuralNetConfiguration.Builder doubles() {
        return new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.1));
    }

    private static QuantizedLayer without(org.deeplearning4j.nn.conf.layers.Layer layer) {
        return new QuantizedLayer(layer, null, null, LayerQuantizers.NONE);
    }

    /* Layers that can be matched, but do not round: their loss has derivatives everywhere. */
    private static MultiLayerNetwork smooth(int seed, int channels) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        doubles()
                                .list()
                                .layer(without(conv(channels)))
                                .layer(without(dense()))
                                .layer(output(3))
                                .setInputType(INPUT)
                                .build());
        network.init();
        network.setParams(
                Networks.normal(seed, network.numParams()).castTo(DataType.DOUBLE).muli(0.2));
        return network;
    }

    private static ComputationGraph smoothGraph(int seed) {
        ComputationGraphConfiguration conf =
                doubles()
                        .graphBuilder()
                        .addInputs("in")
                        .addLayer("conv", without(conv(4)), "in")
                        .addLayer("dense", without(dense()), "conv")
                        .addLayer("out", output(3), "dense")
                        .setOutputs("out")
                        .setInputTypes(INPUT)
                        .build();
        ComputationGraph graph = new ComputationGraph(conf);
        graph.init();
        graph.setParams(Networks.normal(seed, graph.numParams()).castTo(DataType.DOUBLE).muli(0.2));
        return graph;
    }

    private interface Step {
        void computeGradientAndScore();
    }

    private static void requireGradientOfTheScore(Model student, Step step, int examples) {
        step.computeGradientAndScore();
        INDArray gradient = student.gradient().gradient().dup();
        INDArray params = student.params();
        for (long i = 0; i < params.length(); i += 3) {
            double value = params.getDouble(i);
            params.putScalar(i, value + STEP);
            step.computeGradientAndScore();
            double more = student.score();
            params.putScalar(i, value - STEP);
            step.computeGradientAndScore();
            double less = student.score();
            params.putScalar(i, value);
            // DL4J's gradient is a sum over the batch; its score is the mean.
            assertEquals(
                    (more - less) / (2 * STEP),
                    gradient.getDouble(i) / examples,
                    DIFFERENCE_ERROR,
                    "parameter " + i);
        }
    }

    @Test
    void theWholeLossHasTheGradientThatTheLayersGet() {
        MultiLayerNetwork student = smooth(1, 4);
        DataSet data = data();
        try (DistillationListener teaching = whole(smooth(2, 6)).attach(student)) {
            student.setInput(data.getFeatures().castTo(DataType.DOUBLE));
            student.setLabels(data.getLabels().castTo(DataType.DOUBLE));
            requireGradientOfTheScore(
                    student, student::computeGradientAndScore, data.numExamples());
            assertTrue(student.getListeners().contains(teaching));
        }
    }

    @Test
    void aGraphLearnsFromAGraph() {
        ComputationGraph student = smoothGraph(1);
        DataSet data = data();
        Distillation distillation =
                Distillation.from(smoothGraph(2))
                        .withSoftLabels(3, 0.6)
                        .withValues("conv", "conv", 0.4);
        try (DistillationListener teaching = distillation.attach(student)) {
            student.setInputs(data.getFeatures().castTo(DataType.DOUBLE));
            student.setLabels(data.getLabels().castTo(DataType.DOUBLE));
            requireGradientOfTheScore(
                    student, student::computeGradientAndScore, data.numExamples());
            assertTrue(student.getListeners().contains(teaching));
        }
    }

    private static MultiLayerNetwork smoothSequences(int seed) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        doubles()
                                .list()
                                .layer(without(new LSTM.Builder().name("lstm").nOut(4).build()))
                                .layer(
                                        new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                                .name("out")
                                                .nOut(3)
                                                .activation(Activation.SOFTMAX)
                                                .build())
                                .setInputType(InputType.recurrent(2, STEPS))
                                .build());
        network.init();
        network.setParams(
                Networks.normal(seed, network.numParams()).castTo(DataType.DOUBLE).muli(0.5));
        return network;
    }

    private static DataSet sequences() {
        INDArray labels = Nd4j.zeros(EXAMPLES, 3, STEPS);
        for (int i = 0; i < EXAMPLES; i++) {
            for (int t = 0; t < STEPS; t++) {
                labels.putScalar(new int[] {i, (i + t) % 3, t}, 1);
            }
        }
        return new DataSet(
                Networks.normal(4, EXAMPLES, 2, STEPS).castTo(DataType.DOUBLE),
                labels.castTo(DataType.DOUBLE));
    }

    @Test
    void sequencesAreTaughtStepByStep() {
        MultiLayerNetwork student = smoothSequences(1);
        DataSet data = sequences();
        Distillation distillation =
                Distillation.from(smoothSequences(2))
                        .withSoftLabels(3, 0.6)
                        .withValues("lstm", "lstm", 0.4);
        try (DistillationListener teaching = distillation.attach(student)) {
            student.setInput(data.getFeatures());
            student.setLabels(data.getLabels());
            requireGradientOfTheScore(student, student::computeGradientAndScore, EXAMPLES);
            assertTrue(student.getListeners().contains(teaching));
        }
    }

    // ---- training -------------------------------------------------------------------------------

    @Test
    void aQuantizedStudentComesToSayWhatTheTeacherSays() {
        MultiLayerNetwork teacher = network(5, 4);
        MultiLayerNetwork student = student(network(6, 4));
        DataSet data = data();
        double before = distance(teacher, student, data);

        try (DistillationListener teaching =
                Distillation.from(teacher).withSoftLabels(2, 1).attach(student)) {
            assertTrue(student.getListeners().contains(teaching));
            student.fit(Networks.batches(data), 60);
        }

        double after = distance(teacher, student, data);
        assertTrue(after < before / 3, before + " -> " + after);
    }

    private static double distance(
            MultiLayerNetwork teacher, MultiLayerNetwork student, DataSet data) {
        return teacher.output(data.getFeatures())
                .sub(student.output(data.getFeatures()))
                .norm2Number()
                .doubleValue();
    }

    @Test
    void theScoreOfAnIterationFallsAndIsTheWholeLoss() {
        MultiLayerNetwork student = student(network(6, 4));
        CollectScoresListener scores = new CollectScoresListener(1);
        try (DistillationListener teaching = whole(network(5, 4)).attach(student)) {
            student.addListeners(scores);
            student.fit(data());
            for (int i = 0; i < 30; i++) {
                student.fit(data());
            }
            assertTrue(student.getListeners().contains(teaching));
        }
        double first = scores.getListScore().getDouble(0);
        double last = scores.getListScore().getDouble(30);
        assertTrue(last < first, first + " -> " + last);
    }

    @Test
    void cachesDoNotChangeOneBit() {
        INDArray direct = fitted(whole(network(5, 4)));
        Path file = folder.resolve("answers");

        assertEquals(direct, fitted(whole(network(5, 4)).cachedInMemory(24)));
        assertEquals(direct, fitted(whole(network(5, 4)).cachedIn(file)));
        assertEquals(direct, fitted(whole(network(5, 4)).cachedIn(file)), "from the file");
    }

    private static INDArray fitted(Distillation distillation) {
        MultiLayerNetwork student = student(network(6, 4));
        try (DistillationListener teaching = distillation.attach(student)) {
            student.fit(Networks.batches(data()), 3);
            assertTrue(student.getListeners().contains(teaching));
        }
        return student.params();
    }

    @Test
    void aCachedTeacherIsAskedOnceAboutEachExample() {
        MultiLayerNetwork teacher = network(5, 4);
        CachedTeacher cached =
                new CachedTeacher(
                        new Teacher(teacher, List.of("dense", "out")), AnswerCache.inMemory(100));
        INDArray[] batch = {data().getFeatures()};
        List<INDArray> first = cached.answer(batch);
        teacher.params().assign(0);

        assertEquals(first, cached.answer(batch));
        // Also in another batch, in another order.
        INDArray[] two = {Nd4j.concat(0, one(batch[0], 7), one(batch[0], 3))};
        INDArray expected = Nd4j.concat(0, one(first.get(1), 7), one(first.get(1), 3));
        assertEquals(expected, cached.answer(two).get(1));
    }

    private static INDArray one(INDArray batch, int index) {
        return batch.get(NDArrayIndex.interval(index, index + 1));
    }

    // ---- the student as a network
    // ------------------------------------------------------------------

    @Test
    void closingGivesTheFormerLossBack() {
        MultiLayerNetwork student = student(network(6, 4));
        String before = student.getLayerWiseConfigurations().toJson();
        DistillationListener teaching = whole(network(5, 4)).attach(student);
        assertInstanceOf(
                DistillationLoss.class,
                QuantizedLayers.loss(student.getOutputLayer()).orElseThrow());
        teaching.close();

        assertEquals(before, student.getLayerWiseConfigurations().toJson());
        assertTrue(student.getListeners().isEmpty());
        student.fit(data());
    }

    @Test
    void aStudentSavedInTheMiddleGoesOnWithItsTeacher() throws IOException {
        MultiLayerNetwork student = student(network(6, 4));
        Path file = folder.resolve("student.zip");
        try (DistillationListener teaching = whole(network(5, 4)).attach(student)) {
            student.fit(data());
            ModelSerializer.writeModel(student, file.toFile(), true);
            student.fit(data());
            assertTrue(student.getListeners().contains(teaching));
        }
        MultiLayerNetwork restored = ModelSerializer.restoreMultiLayerNetwork(file.toFile(), true);
        assertEquals(
                new DistillationLoss(new LossMCXENT(), 3, 0.6),
                QuantizedLayers.loss(restored.getOutputLayer()).orElseThrow());
        assertThrows(IllegalStateException.class, () -> restored.fit(data()));

        try (DistillationListener teaching = whole(network(5, 4)).attach(restored)) {
            restored.fit(data());
            assertTrue(restored.getListeners().contains(teaching));
        }
        assertArrayEquals(student.params().toFloatVector(), restored.params().toFloatVector());
    }

    @Test
    void detachingFreesARestoredStudent() throws IOException {
        MultiLayerNetwork student = student(network(6, 4));
        Path file = folder.resolve("student.zip");
        DistillationListener teaching = whole(network(5, 4)).attach(student);
        ModelSerializer.writeModel(student, file.toFile(), true);
        teaching.close();
        MultiLayerNetwork restored = ModelSerializer.restoreMultiLayerNetwork(file.toFile(), true);

        Distillation.detach(restored);

        restored.fit(data());
        assertEquals(
                QuantizedLayers.loss(student.getOutputLayer()),
                QuantizedLayers.loss(restored.getOutputLayer()));
    }

    // ---- bad input
    // --------------------------------------------------------------------------------

    private static String refusal(Distillation distillation) {
        MultiLayerNetwork student = student(network(6, 4));
        String before = student.getLayerWiseConfigurations().toJson();
        String message =
                assertThrows(IllegalArgumentException.class, () -> distillation.attach(student))
                        .getMessage();
        assertEquals(before, student.getLayerWiseConfigurations().toJson());
        assertTrue(student.getListeners().isEmpty());
        return message;
    }

    @Test
    void refusesATeacherWithOtherClasses() {
        MultiLayerNetwork four = Networks.of(new Sgd(0.1), INPUT, conv(4), dense(), output(4));

        assertEquals(
                "the teacher's output layer 'out' has 4 classes, the student's 'out' has 3; soft"
                        + " labels need the same classes",
                refusal(Distillation.from(four).withSoftLabels(2, 0.5)));
    }

    @Test
    void refusesATeacherWithoutSoftmax() {
        OutputLayer squares =
                new OutputLayer.Builder(LossFunction.MSE)
                        .name("out")
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .build();

        assertEquals(
                "the teacher's output layer 'out' has no softmax; soft labels are probabilities of"
                        + " classes, use withValues to match other networks",
                refusal(
                        Distillation.from(Networks.of(INPUT, dense(), squares))
                                .withSoftLabels(2, 0.5)));
    }

    @Test
    void refusesToTeachNothing() {
        assertEquals(
                "there is nothing to learn from the teacher yet; call withSoftLabels, withValues or"
                        + " withAttention",
                refusal(Distillation.from(network(5, 4))));
    }

    @Test
    void refusesLayersThatAreNotThere() {
        assertEquals(
                "the student has no quantized layer 'relu' that could match a teacher's; it has"
                        + " [conv, dense]",
                refusal(Distillation.from(network(5, 4)).withValues("relu", "conv", 1)));
        assertEquals(
                "the teacher has no layer 'relu'; it has [conv, dense, out]",
                refusal(Distillation.from(network(5, 4)).withValues("conv", "relu", 1)));
    }

    @Test
    void refusesToBeItsOwnTeacher() {
        MultiLayerNetwork student = student(network(6, 4));

        assertEquals(
                "the teacher is the student itself; give another network",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        Distillation.from(student)
                                                .withSoftLabels(2, 0.5)
                                                .attach(student))
                        .getMessage());
    }

    @Test
    void refusesNumbersThatCannotBe() {
        Distillation distillation = Distillation.from(network(5, 4));

        assertEquals(
                "the temperature is 0.0; it must be above 0 and finite, often 2 to 8",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> distillation.withSoftLabels(0, 0.5))
                        .getMessage());
        assertEquals(
                "the soft labels' share of the loss is 1.5; it must be above 0 and at most 1",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> distillation.withSoftLabels(2, 1.5))
                        .getMessage());
        assertEquals(
                "a cache for 0 examples; it needs 1 at least",
                assertThrows(IllegalArgumentException.class, () -> distillation.cachedInMemory(0))
                        .getMessage());
    }

    @Test
    void saysThatTheTeacherCannotTakeTheInput() {
        MultiLayerNetwork other =
                Networks.of(
                        new Sgd(0.1),
                        InputType.convolutional(7, 7, 2),
                        conv(4),
                        dense(),
                        output(3));
        MultiLayerNetwork student = student(network(6, 4));
        try (DistillationListener teaching =
                Distillation.from(other).withSoftLabels(2, 0.5).attach(student)) {
            String message =
                    assertThrows(IllegalArgumentException.class, () -> student.fit(data()))
                            .getMessage();
            assertTrue(
                    message.startsWith(
                            "the teacher cannot take the student's input, of shape [24, 2, 6, 6]: "),
                    message);
            assertTrue(message.endsWith("; a teacher must have the student's inputs"), message);
            assertTrue(student.getListeners().contains(teaching));
        }
    }

    @Test
    void refusesACacheForDoubles() {
        MultiLayerNetwork student = smooth(1, 4);

        assertEquals(
                "a cache of the teacher's answers holds FLOAT, a network here computes in DOUBLE;"
                        + " leave the cache out",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> whole(smooth(2, 4)).cachedInMemory(10).attach(student))
                        .getMessage());
    }

    @Test
    void refusesAMaskForFeatures() {
        MultiLayerNetwork student = smoothSequences(1);
        try (DistillationListener teaching =
                Distillation.from(smoothSequences(2)).withSoftLabels(2, 0.5).attach(student)) {
            DataSet data = sequences();
            data.setFeaturesMaskArray(Nd4j.ones(EXAMPLES, STEPS));
            assertEquals(
                    "the batch has a mask for its features, which a teacher would not see; distil"
                            + " with sequences of one length",
                    assertThrows(IllegalStateException.class, () -> student.fit(data))
                            .getMessage());
            assertTrue(student.getListeners().contains(teaching));
        }
    }

    @Test
    void aListenerOfADetachedStudentSaysSo() {
        MultiLayerNetwork student = student(network(6, 4));
        whole(network(5, 4)).attach(student);
        Distillation.detach(student);

        assertEquals(
                "this listener's student no longer learns from the teacher: it was detached, or"
                        + " another distillation took its place; remove the listener, or attach it"
                        + " again",
                assertThrows(IllegalStateException.class, () -> student.fit(data())).getMessage());
    }

    @Test
    void activationLayersOfTheTeacherCanBeMatched() {
        MultiLayerNetwork teacher =
                Networks.of(
                        new Sgd(0.1),
                        INPUT,
                        new ConvolutionLayer.Builder(3, 3).name("c").nOut(4).build(),
                        new ActivationLayer.Builder()
                                .name("relu")
                                .activation(Activation.RELU)
                                .build(),
                        output(3));
        MultiLayerNetwork student = student(network(6, 4));
        try (DistillationListener teaching =
                Distillation.from(teacher).withValues("conv", "relu", 1).attach(student)) {
            student.fit(data());
            assertTrue(student.getListeners().contains(teaching));
        }
        assertFalse(student.params().isNaN().any());
    }

    @Test
    void aFileForTheCacheIsMade() {
        Path file = folder.resolve("answers");
        fitted(whole(network(5, 4)).cachedIn(file));
        assertTrue(Files.exists(file));
    }
}
