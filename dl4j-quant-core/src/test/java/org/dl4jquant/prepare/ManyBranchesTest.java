// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;

/** Preparation takes the time of a network's size, not of the number of ways through it. */
class ManyBranchesTest {

    private static final int SUMS = 26; // 67 million ways

    /** A walk over all ways takes minutes. */
    private static final Duration MOST = Duration.ofSeconds(60);

    @Test
    void sumsOfBranchesAreWalkedOnce() {
        GraphBuilder builder =
                new NeuralNetConfiguration.Builder()
                        .graphBuilder()
                        .addInputs("sum0")
                        .setInputTypes(InputType.feedForward(3));
        for (int i = 0; i < SUMS; i++) {
            builder.addLayer("drop" + i, new DropoutLayer(0.9), "sum" + i)
                    .addVertex(
                            "sum" + (i + 1),
                            new ElementWiseVertex(ElementWiseVertex.Op.Average),
                            "sum" + i,
                            "drop" + i);
        }
        builder.addLayer(
                        "out",
                        new OutputLayer.Builder().nOut(Networks.CLASSES).build(),
                        "sum" + SUMS)
                .setOutputs("out");
        ComputationGraph network = new ComputationGraph(builder.build());
        network.init();
        DataSet data = new DataSet(Networks.normal(1, 4, 3), Networks.labels(4));
        assertNotNull(
                assertTimeoutPreemptively(
                        MOST,
                        () ->
                                Quantization.lower(
                                        Quantization.prepare(
                                                network,
                                                QuantSpec.of(LayerScheme.INT8),
                                                Networks.batches(data)))));
    }
}
