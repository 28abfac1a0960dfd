// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.scheme.CodeRounding;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** {@code prepare}, calibration included, leaves ND4J's random numbers as they were. */
class RandomNumbersTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static final QuantSpec STOCHASTIC =
            QuantSpec.of(
                    new LayerScheme(
                            TensorScheme.weights(8).withRounding(new CodeRounding.Stochastic(3)),
                            TensorScheme.activations(8)
                                    .withRounding(new CodeRounding.Stochastic(4))));

    private static MultiLayerNetwork network() {
        return Networks.of(
                InputType.convolutional(6, 6, 2),
                new ConvolutionLayer.Builder(3, 3).nOut(4).activation(Activation.IDENTITY).build(),
                new BatchNormalization(),
                new DropoutLayer(0.5),
                new DenseLayer.Builder().nOut(5).dropOut(0.5).activation(Activation.TANH).build(),
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(Networks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build());
    }

    private static SingletonDataSetIterator data() {
        return new SingletonDataSetIterator(Networks.data(12, 2, 6, 6));
    }

    /** Each with a network that is there before: making one draws numbers, in DL4J. */
    static Stream<Runnable> preparations() {
        MultiLayerNetwork chain = network();
        ComputationGraph graph = network().toComputationGraph();
        return Stream.of(
                () -> Preparation.prepare(chain, INT8, data()),
                () -> Preparation.prepare(chain, STOCHASTIC, data()),
                () -> Preparation.prepare(graph, INT8, data()),
                () -> Preparation.prepare(graph, STOCHASTIC, data()));
    }

    private static List<Object> next(Random random) {
        return List.of(
                random.nextGaussian(),
                random.nextInt(),
                random.nextLong(),
                random.nextDouble(),
                random.nextFloat(),
                random.nextGaussian(),
                Nd4j.rand(7),
                Nd4j.randn(7),
                random.nextGaussian(),
                random.rootState(),
                random.nodeState());
    }

    @ParameterizedTest
    @MethodSource("preparations")
    void theNextNumbersAreThoseOfAProgramThatDidNotPrepare(Runnable prepare) {
        Random random = Nd4j.getRandom();
        forgetHalfOfAPair(random);
        random.setSeed(123);
        drawSome(random);
        List<Object> expected = next(random);
        random.setSeed(123);
        drawSome(random);
        prepare.run();
        assertEquals(expected, next(random));
    }

    /* Normal numbers are made in pairs; the second of one is kept for later, whatever the seed. */
    private static void forgetHalfOfAPair(Random random) {
        long before = random.nodeState();
        random.nextGaussian();
        if (random.nodeState() != before) {
            random.nextGaussian();
        }
    }

    /** With an odd number of normal numbers, so that the half of a pair is kept. */
    private static void drawSome(Random random) {
        random.nextInt();
        random.nextGaussian();
        Nd4j.rand(3);
    }
}
