// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.prepare.PreparedNetwork;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Sequences whose steps have scales of their own, found at run time. */
class DynamicSequencesTest {

    private static void requireEqual(
            IntGraph graph, INDArray expected, Map<String, Batch.Floats> inputs) {
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            Batch.Floats found = (Batch.Floats) reference.run(inputs).get(graph.outputs().get(0));
            assertArrayEquals(RowMajor.floats(expected), found.values());
            EqualityCheck.between(reference, onnx).over(List.of(inputs)).requireEqual();
        }
    }

    private static void requireEqual(MultiLayerNetwork network, INDArray features) {
        IntGraph graph = Quantization.lower(network);
        requireEqual(graph, network.output(features), EngineInputs.of(graph, features));
    }

    private static MultiLayerNetwork ofSequences(RNNFormat format, boolean alone) {
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(6).list();
        if (!alone) {
            LSTM lstm = new LSTM.Builder().name("lstm").nOut(6).build();
            lstm.setRnnDataFormat(format);
            list.layer(lstm);
        }
        list.layer(
                new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .name("out")
                        .nOut(3)
                        .dataFormat(format)
                        .activation(Activation.SOFTMAX)
                        .build());
        MultiLayerNetwork network =
                new MultiLayerNetwork(list.setInputType(InputType.recurrent(5, 7, format)).build());
        network.init();
        return network;
    }

    /** Each step is a row: as the first layer, and after a recurrent layer of calibrated codes. */
    @Test
    void outputLayersOfSequencesFindAScaleForEachStep() {
        for (RNNFormat format : RNNFormat.values()) {
            for (boolean alone : new boolean[] {true, false}) {
                Nd4j.getRandom().setSeed(9);
                boolean last = format == RNNFormat.NWC;
                INDArray features = last ? Nd4j.randn(2, 7, 5) : Nd4j.randn(2, 5, 7);
                INDArray labels = last ? Nd4j.rand(2, 7, 3) : Nd4j.rand(2, 3, 7);
                DataSet data = new DataSet(features, labels);
                QuantSpec spec =
                        QuantSpec.of(LayerScheme.INT8)
                                .with(LayerSelector.named("out"), LayerScheme.INT8_DYNAMIC);
                MultiLayerNetwork prepared =
                        Quantization.prepare(
                                ofSequences(format, alone),
                                spec,
                                new SingletonDataSetIterator(data));
                prepared.fit(data.copy());
                requireEqual(prepared, features);
                if (!alone) {
                    requireAnyNumberOfSteps(prepared, last);
                }
            }
        }
    }

    /** One graph for sequences of any length. */
    private static void requireAnyNumberOfSteps(MultiLayerNetwork network, boolean last) {
        IntGraph graph = Quantization.lower(network, LoweringOptions.DEFAULT.withFreeSteps(true));
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "written"));
        INDArray features = last ? Nd4j.randn(2, 9, 5) : Nd4j.randn(2, 5, 9);
        requireEqual(graph, network.output(features), EngineInputs.of(graph, features));
    }

    /** DL4J folds the steps into the batch before a dense layer, and unfolds them after it. */
    @Test
    void saysWhichPreprocessorMovesValues() {
        Nd4j.getRandom().setSeed(10);
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(6)
                                .list()
                                .layer(
                                        new DenseLayer.Builder()
                                                .name("dense")
                                                .nOut(6)
                                                .activation(Activation.RELU)
                                                .build())
                                .layer(
                                        new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                                .name("out")
                                                .nOut(3)
                                                .activation(Activation.SOFTMAX)
                                                .build())
                                .setInputType(InputType.recurrent(5, 7))
                                .build());
        network.init();
        INDArray features = Nd4j.randn(2, 5, 7);
        DataSet data = new DataSet(features, Nd4j.rand(2, 3, 7));
        PreparedNetwork<MultiLayerNetwork> prepared =
                Preparation.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8_DYNAMIC),
                        new SingletonDataSetIterator(data));
        String forecast = String.valueOf(prepared.report().layer("dense").obstacle());
        assertTrue(
                forecast.startsWith(
                        "it finds scales in float32 values that"
                                + " RnnToFeedForwardPreProcessor moves"),
                forecast);
        assertThrows(LoweringException.class, () -> Quantization.lower(prepared.network()));
        QuantSpec remedy =
                QuantSpec.of(LayerScheme.INT8_DYNAMIC)
                        .with(LayerSelector.named("dense"), LayerScheme.INT8);
        MultiLayerNetwork other =
                Quantization.prepare(network, remedy, new SingletonDataSetIterator(data));
        requireEqual(other, features);
    }
}
