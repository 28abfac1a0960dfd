// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Networks with several outputs of different kinds, some of which other layers read: each engine
 * returns what the network does, output by output, and that is near the float network.
 */
class SeveralOutputsTest {

    private static final int EXAMPLES = 3;

    /** Signal to noise of two or three layers of 8 bits, of outputs that are not all the same. */
    private static final double DECIBELS = 15;

    /**
     * A step, in the order in which they read each other, and what it reads. Any may be an output
     * but the sum, which nothing rounds; all but the losses are read by others, too.
     */
    private enum Part {
        FIRST,
        SECOND,
        SUM,
        POOL,
        MOVE,
        WHOLE,
        DENSE,
        VECTOR,
        IMAGE,
        LOSS;

        List<String> inputs() {
            return switch (this) {
                case FIRST -> List.of("in");
                case SECOND -> List.of(FIRST.name());
                case SUM -> List.of(FIRST.name(), SECOND.name());
                case POOL -> List.of(SUM.name());
                case MOVE, WHOLE -> List.of(POOL.name());
                case DENSE -> List.of(WHOLE.name());
                case VECTOR -> List.of(DENSE.name());
                case IMAGE -> List.of(SECOND.name());
                case LOSS -> List.of(IMAGE.name());
            };
        }
    }

    /** Draws networks. */
    private record Drawing(Random dice, CNN2DFormat format) {

        private ConvolutionLayer convolution(int channels, Activation function) {
            return new ConvolutionLayer.Builder(1, 1)
                    .nOut(channels)
                    .dataFormat(format)
                    .activation(function)
                    .build();
        }

        private Activation function() {
            return List.of(Activation.SOFTMAX, Activation.IDENTITY, Activation.SIGMOID)
                    .get(dice.nextInt(3));
        }

        private Layer layer(Part part) {
            return switch (part) {
                case FIRST -> convolution(3, Activation.RELU);
                case SECOND -> convolution(3, Activation.TANH);
                case POOL -> pool();
                case MOVE -> new ZeroPaddingLayer.Builder(1, 2).dataFormat(format).build();
                case WHOLE -> new GlobalPoolingLayer(PoolingType.AVG);
                case DENSE -> new DenseLayer.Builder().nOut(4).activation(Activation.RELU).build();
                case VECTOR ->
                        new OutputLayer.Builder(LossFunction.MSE)
                                .nOut(3)
                                .activation(function())
                                .build();
                case IMAGE -> convolution(2, Activation.IDENTITY);
                case LOSS ->
                        new CnnLossLayer.Builder(LossFunction.MSE)
                                .format(format)
                                .activation(function())
                                .build();
                case SUM -> throw new IllegalArgumentException("a vertex");
            };
        }

        private Layer pool() {
            return new SubsamplingLayer.Builder(
                            dice.nextBoolean() ? PoolingType.MAX : PoolingType.AVG)
                    .kernelSize(2, 2)
                    .stride(1, 1)
                    .dataFormat(format)
                    .build();
        }

        ComputationGraph network(List<Part> outputs) {
            Set<Part> parts = EnumSet.noneOf(Part.class);
            outputs.forEach(output -> addInto(parts, output));
            GraphBuilder graph =
                    new NeuralNetConfiguration.Builder()
                            .seed(dice.nextInt())
                            // DL4J's workspaces fail where an output is read by another step.
                            .inferenceWorkspaceMode(WorkspaceMode.NONE)
                            .graphBuilder()
                            .addInputs("in")
                            .setInputTypes(InputType.convolutional(4, 5, 2, format));
            for (Part part : parts) {
                String[] inputs = part.inputs().toArray(String[]::new);
                if (part == Part.SUM) {
                    ElementWiseVertex sum = new ElementWiseVertex(ElementWiseVertex.Op.Add);
                    graph.addVertex(part.name(), sum, inputs);
                } else {
                    graph.addLayer(part.name(), layer(part), inputs);
                }
            }
            graph.setOutputs(outputs.stream().map(Part::name).toArray(String[]::new));
            ComputationGraph network = new ComputationGraph(graph.build());
            network.init();
            return network;
        }

        private static void addInto(Set<Part> parts, Part part) {
            parts.add(part);
            for (String input : part.inputs()) {
                if (!input.equals("in")) {
                    addInto(parts, Part.valueOf(input));
                }
            }
        }
    }

    private static void check(long seed) {
        Random dice = new Random(seed);
        List<Part> endings = new ArrayList<>(List.of(Part.values()));
        endings.remove(Part.SUM);
        Collections.shuffle(endings, dice);
        endings = endings.subList(0, 2 + dice.nextInt(2));
        CNN2DFormat format = dice.nextInt(3) == 0 ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
        ComputationGraph network = new Drawing(dice, format).network(endings);
        INDArray features =
                format == CNN2DFormat.NCHW
                        ? Networks.normal(dice.nextInt(), EXAMPLES, 2, 4, 5)
                        : Networks.normal(dice.nextInt(), EXAMPLES, 4, 5, 2);
        DataSet data = new DataSet(features, features);
        ComputationGraph prepared =
                Quantization.prepare(
                        network, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
        IntGraph graph = EqualIntegers.lowered(prepared, features);
        INDArray[] results = prepared.output(features.dup());
        INDArray[] floats = network.output(features.dup());
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            for (Engine engine : List.of(reference, onnx)) {
                Map<String, Batch> found = engine.run(EngineInputs.of(graph, features));
                assertEquals(results.length, graph.outputs().size());
                for (int i = 0; i < results.length; i++) {
                    String output = graph.outputs().get(i);
                    Batch.Floats values = (Batch.Floats) found.get(output);
                    assertEquals(
                            shape(results[i]), values.shape().dimensions(), endings + " " + output);
                    assertArrayEquals(
                            RowMajor.floats(results[i]), values.values(), endings + " " + output);
                    requireNear(floats[i], results[i], endings + " " + output);
                }
            }
        }
    }

    private static List<Integer> shape(INDArray batch) {
        List<Integer> sizes = new ArrayList<>();
        for (int axis = 1; axis < batch.rank(); axis++) {
            sizes.add((int) batch.size(axis));
        }
        return sizes;
    }

    private static void requireNear(INDArray expected, INDArray found, String what) {
        double signal = expected.norm2Number().doubleValue();
        double noise = expected.sub(found).norm2Number().doubleValue();
        assertTrue(
                noise <= signal * Math.pow(10, -DECIBELS / 20) + 1e-6,
                () -> what + ": " + noise + " of " + signal);
    }

    @Property(tries = 6)
    void eachOutputIsTheNetworks(@ForAll long seed) {
        check(seed);
    }

    @Property(tries = 300)
    @Tag("thorough")
    void eachOutputOfManyNetworksIsTheNetworks(@ForAll long seed) {
        check(seed);
    }
}
