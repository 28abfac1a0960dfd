// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.support;

import java.util.Map;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.examples.data.LabelledImages;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The timed tasks of the latency figures: from images in memory to scores. */
public final class InferenceTasks {

    /** How many images the larger of the two batches holds. */
    public static final int BATCH = 32;

    private InferenceTasks() {}

    /**
     * {@return one call of DL4J's {@code output}}
     *
     * @param network any network for these images
     * @param images as many as go in at once
     */
    public static Runnable of(MultiLayerNetwork network, LabelledImages images) {
        INDArray features = images.inOrder(images.size()).next().getFeatures();
        return () -> network.output(features);
    }

    /**
     * {@return one run of an engine}
     *
     * @param engine runs a graph with one input for these images
     * @param images as many as go in at once
     */
    public static Runnable of(Engine engine, LabelledImages images) {
        Map<String, Batch.Floats> inputs =
                Map.of(engine.graph().inputs().get(0).name(), images.batch(0, images.size()));
        return () -> engine.run(inputs);
    }
}
