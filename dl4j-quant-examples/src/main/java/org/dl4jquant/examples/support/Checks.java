// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.support;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The two comparisons over images, some at a time. */
public final class Checks {

    private Checks() {}

    /**
     * {@return the comparison of two engines in every code of every node}
     *
     * @param left runs a graph with one input for these images
     * @param right runs the same graph
     * @param images the images
     */
    public static EqualityReport engines(Engine left, Engine right, LabelledImages images) {
        String input = left.graph().inputs().get(0).name();
        List<Map<String, Batch.Floats>> batches = new ArrayList<>();
        for (int from = 0; from < images.size(); from += Accuracy.BATCH) {
            int to = Math.min(from + Accuracy.BATCH, images.size());
            batches.add(Map.of(input, images.batch(from, to)));
        }
        return EqualityCheck.between(left, right).over(batches);
    }

    /**
     * {@return the comparison of a quantized network with an engine in every code of every layer}
     *
     * @param quantized the network
     * @param engine runs the network's graph
     * @param images the images
     */
    public static SimulatorReport simulator(
            MultiLayerNetwork quantized, Engine engine, LabelledImages images) {
        return SimulatorCheck.between(quantized, engine).over(features(images));
    }

    /**
     * {@return the comparison of a quantized graph with an engine in every code of every layer}
     *
     * @param quantized the graph
     * @param engine runs its integer graph
     * @param images the images
     */
    public static SimulatorReport simulator(
            ComputationGraph quantized, Engine engine, LabelledImages images) {
        return SimulatorCheck.between(quantized, engine).over(features(images));
    }

    private static List<INDArray[]> features(LabelledImages images) {
        List<INDArray[]> batches = new ArrayList<>();
        images.inOrder(Accuracy.BATCH)
                .forEachRemaining(batch -> batches.add(new INDArray[] {batch.getFeatures()}));
        return batches;
    }
}
