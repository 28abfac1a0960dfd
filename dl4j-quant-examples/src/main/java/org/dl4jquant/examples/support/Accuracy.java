// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.support;

import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.examples.data.LabelledImages;
import org.nd4j.evaluation.classification.Evaluation;

/** The share of correctly classified images. */
public final class Accuracy {

    /** How many images go through a network or an engine at a time. */
    public static final int BATCH = 100;

    private Accuracy() {}

    /**
     * {@return the accuracy that DL4J's evaluation reports}
     *
     * @param network any network for these images, quantized or not
     * @param images the images
     */
    public static double of(MultiLayerNetwork network, LabelledImages images) {
        return network.evaluate(images.inOrder(BATCH)).accuracy();
    }

    /**
     * {@return the accuracy that DL4J's evaluation reports}
     *
     * @param network any graph for these images, quantized or not
     * @param images the images
     */
    public static double of(ComputationGraph network, LabelledImages images) {
        Evaluation evaluation = network.evaluate(images.inOrder(BATCH));
        return evaluation.accuracy();
    }

    /**
     * {@return the accuracy of an engine}
     *
     * @param engine runs a graph with one input and one output
     * @param images the images
     */
    public static double of(Engine engine, LabelledImages images) {
        String input = engine.graph().inputs().get(0).name();
        String output = engine.graph().outputs().get(0);
        int right = 0;
        for (int from = 0; from < images.size(); from += BATCH) {
            int to = Math.min(from + BATCH, images.size());
            Map<String, Batch> results = engine.run(Map.of(input, images.batch(from, to)));
            if (!(results.get(output) instanceof Batch.Floats scores)) {
                throw new IllegalArgumentException(
                        "output '" + output + "' of the graph is not of float32 values");
            }
            right += right(scores, images, from);
        }
        return (double) right / images.size();
    }

    private static int right(Batch.Floats scores, LabelledImages images, int from) {
        int classes = scores.shape().elements();
        int right = 0;
        for (int i = 0; i < scores.size(); i++) {
            right +=
                    largest(scores.values(), i * classes, classes) == images.label(from + i)
                            ? 1
                            : 0;
        }
        return right;
    }

    private static int largest(float[] values, int offset, int length) {
        int best = 0;
        for (int i = 1; i < length; i++) {
            best = values[offset + i] > values[offset + best] ? i : best;
        }
        return best;
    }
}
