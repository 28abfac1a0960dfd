// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import onnx.Onnx.ModelProto;
import onnx.Onnx.ValueInfoProto;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;

/** Inputs and outputs stand in the network's order everywhere, whatever is read first. */
class InputOrderTest {

    private static final int EXAMPLES = 5;
    private static final int FEATURES = 4;
    private static final int NETWORKS = 8;
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static DenseLayer dense() {
        return new DenseLayer.Builder().nOut(FEATURES).activation(Activation.TANH).build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(2)
                .activation(Activation.SIGMOID)
                .build();
    }

    private static GraphBuilder builder(List<String> inputs) {
        InputType[] types = new InputType[inputs.size()];
        Arrays.fill(types, InputType.feedForward(FEATURES));
        return new NeuralNetConfiguration.Builder()
                .seed(3)
                .graphBuilder()
                .addInputs(inputs)
                .setInputTypes(types);
    }

    private static INDArray[] features(int count) {
        INDArray[] features = new INDArray[count];
        for (int i = 0; i < count; i++) {
            // so different that a confusion cannot go unnoticed
            features[i] = Nd4j.randn(EXAMPLES, FEATURES).muli(Math.pow(3, i)).addi(i);
        }
        return features;
    }

    private static ComputationGraph prepared(GraphBuilder builder, INDArray[] features) {
        ComputationGraph network = new ComputationGraph(builder.build());
        network.init();
        return Quantization.prepare(
                network,
                INT8,
                new SingletonMultiDataSetIterator(
                        new MultiDataSet(features, network.output(features))));
    }

    private static void requireOrder(
            ComputationGraph network, List<String> inputs, INDArray[] features) {
        IntGraph graph = Quantization.lower(network);
        assertEquals(inputs, names(graph));
        assertEquals(network.getConfiguration().getNetworkOutputs(), graph.outputs());
        byte[] file = OnnxWriter.toBytes(graph);
        assertEquals(inputs, namesIn(file));
        assertEquals(inputs, names(OnnxReader.fromBytes(file, "written")));
        Map<String, Batch.Floats> batches = EngineInputs.of(graph, features);
        assertEquals(inputs, List.copyOf(batches.keySet()));
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            SimulatorReport report = SimulatorCheck.between(network, reference).over(features);
            assertEquals(0, report.differingOutputs(), report::toString);
            INDArray[] outputs = network.output(features);
            for (Engine engine : List.of(reference, onnxRuntime)) {
                List<Batch> results = List.copyOf(engine.run(batches).values());
                for (int i = 0; i < outputs.length; i++) {
                    assertArrayEquals(
                            RowMajor.floats(outputs[i]), ((Batch.Floats) results.get(i)).values());
                }
            }
        }
    }

    private static List<String> names(IntGraph graph) {
        return graph.inputs().stream().map(Input::name).toList();
    }

    private static List<String> namesIn(byte[] file) {
        try {
            return ModelProto.parseFrom(file).getGraph().getInputList().stream()
                    .map(ValueInfoProto::getName)
                    .toList();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theInputThatIsReadLastMayStandFirst() {
        List<String> inputs = List.of("late", "early");
        INDArray[] features = features(2);
        GraphBuilder builder =
                builder(inputs)
                        .addLayer("first", dense(), "early")
                        .addLayer("second", dense(), "first")
                        .addLayer("side", dense(), "late")
                        .addVertex("both", new MergeVertex(), "second", "side")
                        .addLayer("out", output(), "both")
                        .setOutputs("out");
        requireOrder(prepared(builder, features), inputs, features);
    }

    @Test
    void anInputMayBeReadTwiceAndByAVertex() {
        List<String> inputs = List.of("a", "b");
        INDArray[] features = features(2);
        GraphBuilder builder =
                builder(inputs)
                        .addLayer("first", dense(), "b")
                        .addVertex(
                                "sum",
                                new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                "b",
                                "first")
                        .addVertex("all", new MergeVertex(), "a", "sum", "a")
                        .addLayer("out", output(), "all")
                        .addLayer("other", output(), "first")
                        .setOutputs("out", "other");
        requireOrder(prepared(builder, features), inputs, features);
    }

    /** Chains that begin at a random input, of random lengths, joined; outputs in random order. */
    @Test
    void randomNetworksKeepTheOrderOfTheirInputsAndOutputs() {
        for (long seed = 0; seed < NETWORKS; seed++) {
            Random random = new Random(seed);
            List<String> inputs = new ArrayList<>(List.of("p", "q", "r", "s"));
            Collections.shuffle(inputs, random);
            GraphBuilder builder = builder(inputs);
            List<String> reading = new ArrayList<>(inputs);
            reading.add(inputs.get(random.nextInt(inputs.size())));
            Collections.shuffle(reading, random);
            List<String> ends = new ArrayList<>();
            for (String input : reading) {
                String at = input;
                for (int length = 1 + random.nextInt(3); length > 0; length--) {
                    String name = "layer-" + ends.size() + "-" + length;
                    builder.addLayer(name, dense(), at);
                    at = name;
                }
                ends.add(at);
            }
            builder.addVertex("all", new MergeVertex(), ends.toArray(String[]::new));
            List<String> outputs = new ArrayList<>(List.of("x", "y", "z"));
            outputs.forEach(output -> builder.addLayer(output, output(), "all"));
            Collections.shuffle(outputs, random);
            builder.setOutputs(outputs.toArray(String[]::new));
            INDArray[] features = features(inputs.size());
            requireOrder(prepared(builder, features), inputs, features);
        }
    }

    @Test
    void refusesAnInputThatNobodyReadsByName() {
        List<String> inputs = List.of("a", "unread", "b");
        INDArray[] features = features(3);
        GraphBuilder builder =
                builder(inputs)
                        .allowDisconnected(true)
                        .addVertex("all", new MergeVertex(), "b", "a")
                        .addLayer("out", output(), "all")
                        .setOutputs("out");
        ComputationGraph network = prepared(builder, features);
        assertEquals(
                "layer 'unread' cannot be lowered to integers: it is a network input that no"
                        + " quantized layer reads; remove it from the network",
                assertThrows(LoweringException.class, () -> Quantization.lower(network))
                        .getMessage());
    }
}
