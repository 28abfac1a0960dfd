// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.SingletonMultiDataSetIterator;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * The common course of tests of lowering: prepare a network, train one step, lower it, and compare
 * every code of the network's own inference, of the reference and of ONNX Runtime.
 */
final class EqualIntegers {

    private EqualIntegers() {}

    /**
     * {@return the graph of a network}
     *
     * @param trained a float network
     * @param spec how to quantize it
     * @param data calibrates, trains and tests it
     */
    static IntGraph of(MultiLayerNetwork trained, QuantSpec spec, DataSet data) {
        MultiLayerNetwork prepared = Quantization.prepare(trained, spec, Networks.batches(data));
        prepared.fit(data.copy());
        IntGraph graph = Quantization.lower(prepared);
        try (Engine engine = Engine.open("reference", graph)) {
            require(graph, SimulatorCheck.between(prepared, engine), data.getFeatures());
        }
        return graph;
    }

    /**
     * {@return the graph of a network}
     *
     * @param trained a float network
     * @param spec how to quantize it
     * @param data calibrates, trains and tests it
     */
    static IntGraph of(ComputationGraph trained, QuantSpec spec, DataSet data) {
        ComputationGraph prepared = Quantization.prepare(trained, spec, Networks.batches(data));
        prepared.fit(data.copy());
        return lowered(prepared, data.getFeatures());
    }

    /**
     * {@return the graph of a network of several inputs}
     *
     * @param trained a float network
     * @param spec how to quantize it
     * @param data calibrates, trains and tests it
     */
    static IntGraph of(ComputationGraph trained, QuantSpec spec, MultiDataSet data) {
        ComputationGraph prepared =
                Quantization.prepare(trained, spec, new SingletonMultiDataSetIterator(data));
        prepared.fit(data.copy());
        return lowered(prepared, data.getFeatures());
    }

    /**
     * {@return the graph of a network}
     *
     * @param prepared a network with quantizers
     * @param features its inputs
     */
    static IntGraph lowered(ComputationGraph prepared, INDArray... features) {
        IntGraph graph = Quantization.lower(prepared);
        try (Engine engine = Engine.open("reference", graph)) {
            require(graph, SimulatorCheck.between(prepared, engine), features);
        }
        return graph;
    }

    private static void require(IntGraph graph, SimulatorCheck check, INDArray... features) {
        assertEquals(0, check.over(features).differingCodes());
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnx)
                    .over(List.of(EngineInputs.of(graph, features)))
                    .requireEqual();
        }
    }
}
