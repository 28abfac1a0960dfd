// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
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

/** A training gets the teacher's own answers from a file of answers. */
class SharedAnswersTest {

    private static final int EXAMPLES = 12;
    private static final int FEATURES = 5;
    private static final int CLASSES = 3;

    @TempDir private Path folder;

    private static MultiLayerNetwork dense(int seed, Activation activation) {
        return started(
                new NeuralNetConfiguration.Builder()
                        .seed(seed)
                        .list()
                        .layer(new DenseLayer.Builder().nOut(4).activation(activation).build())
                        .layer(new OutputLayer.Builder().nOut(CLASSES).build())
                        .setInputType(InputType.feedForward(FEATURES))
                        .build());
    }

    private static MultiLayerNetwork started(MultiLayerConfiguration configuration) {
        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    private static DataSet data(int seed) {
        INDArray features = Nd4j.rand(DataType.FLOAT, EXAMPLES, FEATURES).muli(0.1).addi(seed);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, EXAMPLES, CLASSES);
        for (int i = 0; i < EXAMPLES; i++) {
            labels.putScalar(i, i % CLASSES, 1);
        }
        return new DataSet(features, labels);
    }

    private static MultiLayerNetwork student(DataSet calibration) {
        return Preparation.prepare(
                        dense(6, Activation.RELU),
                        QuantSpec.of(LayerScheme.INT8),
                        new ListDataSetIterator<>(List.of(calibration)))
                .network();
    }

    private static Distillation from(MultiLayerNetwork teacher) {
        return Distillation.from(teacher).withSoftLabels(2, 0.9);
    }

    /* Both write to one file, and both read what either has written. */
    @Test
    void twoStudentsOfOneFileThatAreFittedInTurnsTrainAsWithoutIt() {
        List<DataSet> batches = List.of(data(0), data(1), data(-1), data(2));
        List<INDArray> plain = inTurns(from(dense(5, Activation.RELU)), batches);
        Path file = folder.resolve("answers");
        assertEquals(plain, inTurns(from(dense(5, Activation.RELU)).cachedIn(file), batches));
        assertEquals(plain, inTurns(from(dense(5, Activation.RELU)).cachedIn(file), batches));
    }

    private static List<INDArray> inTurns(Distillation distillation, List<DataSet> batches) {
        MultiLayerNetwork first = student(batches.get(0));
        MultiLayerNetwork second = student(batches.get(0));
        try (DistillationListener one = distillation.attach(first);
                DistillationListener other = distillation.attach(second)) {
            assertNotEquals(one, other);
            for (int epoch = 0; epoch < 3; epoch++) {
                for (int i = 0; i < batches.size(); i++) {
                    first.fit(batches.get(i));
                    second.fit(batches.get(batches.size() - 1 - i));
                }
            }
        }
        return List.of(first.params(), second.params());
    }

    @Test
    void equalParametersUnderAnotherFunctionAreAnotherTeacher() {
        Path file = folder.resolve("answers");
        MultiLayerNetwork student = student(data(0));
        from(dense(5, Activation.RELU)).cachedIn(file).attach(student).close();
        from(dense(5, Activation.RELU)).cachedIn(file).attach(student).close();
        Distillation other = from(dense(5, Activation.TANH)).cachedIn(file);
        assertThrows(IllegalArgumentException.class, () -> other.attach(student));
    }

    @Test
    void aTeacherThatLearnsNoMoreIsTheSameWhateverItsRate() {
        Path file = folder.resolve("answers");
        MultiLayerNetwork teacher = dense(5, Activation.RELU);
        MultiLayerNetwork student = student(data(0));
        from(teacher).cachedIn(file).attach(student).close();
        teacher.setLearningRate(1e-5);
        from(teacher).cachedIn(file).attach(student).close();
    }

    @Test
    void equalValuesInAnotherShapeAreAnotherExample() {
        MultiLayerNetwork teacher =
                started(
                        new NeuralNetConfiguration.Builder()
                                .list()
                                .layer(
                                        new ConvolutionLayer.Builder(2, 2)
                                                .nIn(1)
                                                .nOut(4)
                                                .activation(Activation.TANH)
                                                .build())
                                .layer(new GlobalPoolingLayer())
                                .layer(new OutputLayer.Builder().nIn(4).nOut(CLASSES).build())
                                .build());
        List<String> layers = List.of("layer1");
        CachedTeacher cached =
                new CachedTeacher(new Teacher(teacher, layers), AnswerCache.inMemory(100));
        Teacher plain = new Teacher(teacher, layers);
        INDArray values = Nd4j.rand(DataType.FLOAT, 2, 36);
        for (long[] shape : new long[][] {{2, 1, 6, 6}, {2, 1, 4, 9}, {2, 1, 9, 4}, {2, 1, 6, 6}}) {
            INDArray[] input = {values.reshape(shape)};
            assertEquals(plain.answer(input), cached.answer(input));
        }
    }
}
