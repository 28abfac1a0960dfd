// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import java.util.Random;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.NeuralNetwork;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.examples.benchmark.LeNetExperiment;
import org.dl4jquant.examples.benchmark.ResNetExperiment;
import org.dl4jquant.examples.benchmark.Variant;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.model.ResNet;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.dataset.DataSet;

/** A network whose training is measured, in float and in INT8, with the same batch every time. */
enum BenchNetwork {
    /** The LeNet of the quickstart. */
    LENET {
        @Override
        Runnable fit(boolean quantized) {
            FloatTask.Bench bench = new FloatTask.Bench();
            return bench.fit(
                    quantized
                            ? LeNetExperiment.prepare(
                                    bench.network(), new Training(bench.images(), 1, SEED))
                            : bench.network());
        }
    },
    /** The ResNet of the benchmark of few bits, with images of CIFAR-10's size. */
    RESNET {
        @Override
        Runnable fit(boolean quantized) {
            LabelledImages images = noise();
            Training training = new Training(images, 1, SEED);
            ComputationGraph network =
                    ResNet.create(images, CHANNELS, 1, SEED, training.floatRate());
            DataSet batch = images.inOrder(FloatTask.FIT_BATCH).next();
            network.fit(batch);
            NeuralNetwork fitted =
                    quantized
                            ? ResNetExperiment.prepare(network, Variant.lsq(Byte.SIZE), training)
                            : network;
            return () -> fitted.fit(batch);
        }
    };

    private static final long SEED = 1;
    private static final int CHANNELS = 16;
    private static final Shape IMAGE = Shape.of(3, 32, 32);
    private static final int CLASSES = 10;

    /**
     * {@return one training iteration, of a batch of {@link FloatTask#FIT_BATCH} images}
     *
     * @param quantized whether with INT8 quantizers by LSQ, or in float
     */
    abstract Runnable fit(boolean quantized);

    /** Random pixels: the time does not depend on them. */
    private static LabelledImages noise() {
        Random random = new Random(SEED);
        byte[] pixels = new byte[FloatTask.FIT_BATCH * IMAGE.elements()];
        byte[] labels = new byte[FloatTask.FIT_BATCH];
        random.nextBytes(pixels);
        for (int i = 0; i < labels.length; i++) {
            labels[i] = (byte) (i % CLASSES);
        }
        return LabelledImages.of(
                IMAGE,
                pixels,
                labels,
                IntStream.range(0, CLASSES).mapToObj(String::valueOf).toList());
    }
}
