// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Attention under masks: hidden keys weigh nothing, alike in the network and in every engine. */
class MaskedAttentionsTest {

    private static final LoweringOptions MASKS = LoweringOptions.DEFAULT.withMasks(true);
    private static final int NETWORKS = 8;
    private static final int EXAMPLES = 4;

    /* As for attentions without masks: signals of 8 bits, a handful of them after one another. */
    private static final double NOISE = 0.06;

    private static MultiLayerNetwork trained(Random random, int features, int steps) {
        boolean projects = random.nextInt(3) != 0;
        SelfAttentionLayer attention =
                new SelfAttentionLayer.Builder()
                        .nIn(features)
                        .nOut(projects ? 4 : features)
                        .nHeads(projects ? 2 : 1)
                        .projectInput(projects)
                        .build();
        Layer[] layers =
                switch (random.nextInt(3)) {
                    case 0 -> new Layer[] {attention, all()};
                    case 1 ->
                            new Layer[] {attention, new GlobalPoolingLayer(PoolingType.MAX), one()};
                    default ->
                            new Layer[] {
                                attention,
                                new LastTimeStep(
                                        new LSTM.Builder()
                                                .nOut(3)
                                                .activation(Activation.TANH)
                                                .build()),
                                one()
                            };
                };
        return Networks.of(InputType.recurrent(features, steps), layers);
    }

    private static Layer one() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static Layer all() {
        return new RnnOutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    /* One step counts in each example. */
    private static INDArray mask(Random random, int steps) {
        INDArray mask = Nd4j.zeros(EXAMPLES, steps);
        for (int i = 0; i < EXAMPLES; i++) {
            for (int t = 0; t < steps; t++) {
                mask.putScalar(i, t, random.nextInt(2));
            }
            mask.putScalar(i, random.nextInt(steps), 1);
        }
        return mask;
    }

    private static float[] run(Engine engine, Map<String, Batch.Floats> inputs) {
        String output = engine.graph().outputs().get(0);
        return ((Batch.Floats) engine.run(inputs).get(output)).values();
    }

    private static void requireEqual(IntGraph graph, float[] expected, INDArray... arrays) {
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "written"));
        Map<String, Batch.Floats> inputs = EngineInputs.of(graph, arrays);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            assertArrayEquals(expected, run(reference, inputs));
            EqualityCheck.between(reference, onnx).over(List.of(inputs)).requireEqual();
        }
    }

    @Test
    void enginesObeyMasksAsTheNetworkDoes() {
        for (int seed = 0; seed < NETWORKS; seed++) {
            Random random = new Random(seed);
            int features = 1 + random.nextInt(5);
            int steps = 2 + random.nextInt(7);
            MultiLayerNetwork trained = trained(random, features, steps);
            INDArray x = Networks.normal(seed, EXAMPLES, features, steps);
            INDArray mask = mask(random, steps);
            DataSet data = new DataSet(x, trained.output(x, false, mask, null));
            data.setFeaturesMaskArray(mask);
            MultiLayerNetwork network =
                    Quantization.prepare(
                            trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
            IntGraph graph = Quantization.lower(network, MASKS);
            INDArray result = network.output(x, false, mask, null);
            requireEqual(graph, RowMajor.floats(result), x, mask);
            double noise = data.getLabels().sub(result).norm2Number().doubleValue();
            double signal = data.getLabels().norm2Number().doubleValue();
            int failing = seed;
            assertTrue(noise < NOISE * signal, () -> failing + ": " + noise + " of " + signal);
        }
    }

    /** As in DL4J, all keys weigh the same where none counts. */
    @Test
    void whereNoKeyCountsAllWeighTheSame() {
        Random random = new Random(1);
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.recurrent(3, 4),
                        new SelfAttentionLayer.Builder()
                                .nIn(3)
                                .nOut(3)
                                .nHeads(1)
                                .projectInput(false)
                                .build(),
                        all());
        INDArray x = Networks.normal(2, EXAMPLES, 3, 4);
        DataSet data = new DataSet(x, trained.output(x));
        MultiLayerNetwork network =
                Quantization.prepare(
                        trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
        INDArray mask = mask(random, 4);
        mask.getRow(2).assign(0);
        INDArray result = network.output(x, false, mask, null);
        requireEqual(Quantization.lower(network, MASKS), RowMajor.floats(result), x, mask);
        for (int t = 1; t < 4; t++) {
            for (int i = 0; i < Networks.CLASSES; i++) {
                assertEquals(result.getFloat(2, i, 0), result.getFloat(2, i, t));
            }
        }
    }

    /** A vertex hides the results of hidden queries, too. */
    @Test
    void aVertexObeysTheMaskOfItsQueriesAndKeys() {
        AttentionVertex attention =
                new AttentionVertex.Builder()
                        .nInQueries(4)
                        .nInKeys(4)
                        .nInValues(4)
                        .nOut(4)
                        .nHeads(1)
                        .projectInput(false)
                        .build();
        ComputationGraph trained =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.recurrent(3, 5))
                                .addLayer(
                                        "a",
                                        new LSTM.Builder()
                                                .nOut(4)
                                                .activation(Activation.TANH)
                                                .build(),
                                        "in")
                                .addVertex("it", attention, "a", "a", "a")
                                .addLayer("out", all(), "it")
                                .setOutputs("out")
                                .build());
        trained.init();
        INDArray x = Networks.normal(4, EXAMPLES, 3, 5);
        DataSet data = new DataSet(x, trained.output(x)[0]);
        ComputationGraph network =
                Quantization.prepare(
                        trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
        INDArray mask = mask(new Random(5), 5);
        INDArray[] masks = {mask};
        INDArray result = network.output(false, new INDArray[] {x}, masks, null)[0];
        requireEqual(Quantization.lower(network, MASKS), RowMajor.floats(result), x, mask);
    }

    @Test
    void refusesScalesWithWhichAHiddenKeyWouldWeighSomething() {
        QuantParams small = new QuantParams(1e-5f, 0, CodeRange.signed(8));
        Shape square = Shape.of(2, 2);
        List<IntNode> nodes =
                List.of(
                        new Input("x", square),
                        new Input("mask", Shape.of(2)),
                        new Quantize("q", "x", small),
                        new AttentionWeights("y", "q", "q", small, Optional.of("mask")));
        String refused =
                assertThrows(IllegalArgumentException.class, () -> IntGraph.of(nodes, List.of("y")))
                        .getMessage();
        assertTrue(
                refused.endsWith(
                        "steps per unit of a product, keys that do not count would have weights;"
                                + " choose larger scales of queries or keys"),
                refused);
    }
}
