// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.InferenceTasks;
import org.dl4jquant.examples.support.Training;
import org.nd4j.linalg.dataset.DataSet;

/** The tasks of the speed benchmarks with a float LeNet, in this JVM or in another one. */
enum FloatTask {
    /** One training iteration with a batch of {@link #FIT_BATCH} images. */
    FIT,
    /** Inference of one image. */
    ONE,
    /** Inference of a batch of {@link InferenceTasks#BATCH} images. */
    BATCH;

    /** How many images the timed training iteration has. */
    static final int FIT_BATCH = 64;

    /** A float LeNet, and digits for it: the same numbers in every JVM. */
    static final class Bench {

        private static final long SEED = 1;

        private final LabelledImages images = StrokeDigits.generate(SEED, FIT_BATCH);
        private final MultiLayerNetwork network;
        private final DataSet batch = images.inOrder(FIT_BATCH).next();

        Bench() {
            network = LeNet.create(images, SEED, new Training(images, 1, SEED).floatRate());
            network.fit(batch);
        }

        /** Returns whether DL4J computes convolutions with oneDNN in this JVM. */
        boolean usesOneDnn() {
            return network.getLayer(0).getHelper() != null;
        }

        MultiLayerNetwork network() {
            return network;
        }

        LabelledImages images() {
            return images;
        }

        /** Returns one training iteration of any network for these digits. */
        Runnable fit(MultiLayerNetwork any) {
            return () -> any.fit(batch);
        }

        Runnable runnable(FloatTask task) {
            return switch (task) {
                case FIT -> fit(network);
                case ONE -> InferenceTasks.of(network, images.first(1));
                case BATCH -> InferenceTasks.of(network, images.first(InferenceTasks.BATCH));
            };
        }
    }
}
