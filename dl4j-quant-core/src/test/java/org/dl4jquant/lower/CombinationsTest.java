// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.layer.QuantizedProductVertex;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Tensors combined place by place, of equal shapes and repeated ones: the network infers what the
 * engines compute.
 */
final class CombinationsTest {

    private static final int EXAMPLES = 3;
    private static final double STEP = 0x1p-7;
    private static final double TOLERANCE = 2e-2; // of float32 sums over small steps
    private static final long[][] BOTH_REPEATED = {{1, 4, 5}, {3, 4, 1}};
    private static final long[][][] SHAPES = {
        {{5}, {5}},
        {{7}, {1}},
        {{1}, {6}, {6}},
        {{3, 4, 5}, {3, 1, 1}},
        BOTH_REPEATED,
        {{3, 1, 2}, {1, 4, 1}, {3, 4, 2}},
        {{2, 3, 3}, {2, 3, 3}, {2, 3, 3}, {2, 3, 3}},
    };

    static Stream<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (Op op : Op.values()) {
            for (long[][] shapes : SHAPES) {
                if (op != Op.Subtract || shapes.length == 2) {
                    cases.add(Arguments.of(op, shapes));
                }
            }
        }
        return cases.stream();
    }

    /** The inputs themselves are rounded, and what they give goes through a function. */
    private static GraphBuilder network(Op op, int inputs, Activation function) {
        String[] names = new String[inputs];
        Arrays.setAll(names, i -> "in" + i);
        return new NeuralNetConfiguration.Builder()
                .seed(3)
                .graphBuilder()
                .addInputs(names)
                .addVertex("it", new ElementWiseVertex(op), names)
                .addLayer("out", new ActivationLayer(function), "it")
                .setOutputs("out");
    }

    private static INDArray[] features(Random random, long[]... shapes) {
        INDArray[] features = new INDArray[shapes.length];
        for (int i = 0; i < shapes.length; i++) {
            long[] shape = new long[shapes[i].length + 1];
            shape[0] = EXAMPLES;
            System.arraycopy(shapes[i], 0, shape, 1, shapes[i].length);
            features[i] = Nd4j.randn(DataType.FLOAT, shape).muli(Math.exp(random.nextGaussian()));
        }
        return features;
    }

    private static ComputationGraph prepared(
            GraphBuilder builder, LayerScheme scheme, INDArray... features) {
        ComputationGraph network = new ComputationGraph(builder.build());
        network.init();
        INDArray[] labels = {network.outputSingle(features)};
        return Quantization.prepare(
                network,
                QuantSpec.of(scheme),
                new SingletonMultiDataSetIterator(new MultiDataSet(features, labels)));
    }

    private static LayerScheme scheme(boolean asymmetric) {
        return asymmetric
                ? new LayerScheme(
                        TensorScheme.INT8_WEIGHTS,
                        TensorScheme.INT8_ACTIVATIONS.withSymmetry(Symmetry.ASYMMETRIC))
                : LayerScheme.INT8;
    }

    private static void requireExact(ComputationGraph network, INDArray... features) {
        IntGraph graph = Quantization.lower(network);
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            EqualityReport equality =
                    EqualityCheck.between(reference, runtime)
                            .over(EngineInputs.of(graph, features));
            equality.requireEqual();
            SimulatorReport report = SimulatorCheck.between(network, reference).over(features);
            assertNotEquals(0, report.codes());
            assertEquals(0, report.differingCodes(), report::toString);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theNetworkInfersWhatEnginesCompute(Op op, long[][] shapes) {
        Random random = new Random(Arrays.deepHashCode(shapes));
        Nd4j.getRandom().setSeed(random.nextInt());
        for (Activation function : List.of(Activation.IDENTITY, Activation.RELU)) {
            INDArray[] features = features(random, shapes);
            ComputationGraph network =
                    prepared(
                            network(op, shapes.length, function),
                            scheme(random.nextBoolean()),
                            features);
            requireExact(network, features);
            requireExact(network, features(random, shapes));
        }
    }

    /* DL4J does not sum the second gradient of a difference of which both inputs are repeated. */
    static Stream<Arguments> differentiable() {
        return cases().filter(
                        each ->
                                each.get()[0] != Op.Subtract
                                        || !Arrays.deepEquals(
                                                (long[][]) each.get()[1], BOTH_REPEATED));
    }

    /** Training passes gradients through the vertex as if nothing were rounded. */
    @ParameterizedTest
    @MethodSource("differentiable")
    void gradientsAreThoseOfFiniteDifferences(Op op, long[][] shapes) {
        Random random = new Random(Arrays.deepHashCode(shapes));
        Nd4j.getRandom().setSeed(random.nextInt());
        INDArray[] features = features(random, shapes);
        for (int i = 0; i < features.length; i++) {
            // No two inputs are near each other, where a maximum has no derivative.
            Transforms.round(features[i], false).addi(i / 5.0);
        }
        ComputationGraph network =
                prepared(
                        network(op, shapes.length, Activation.IDENTITY),
                        LayerScheme.INT8,
                        features);
        GraphVertex vertex = network.getVertex("it");
        INDArray epsilon = Nd4j.randn(DataType.FLOAT, result(vertex, features).shape());
        result(vertex, features);
        vertex.setEpsilon(epsilon);
        INDArray[] gradients =
                vertex.doBackward(false, LayerWorkspaceMgr.noWorkspaces()).getSecond();
        for (int input = 0; input < features.length; input++) {
            for (long place = 0; place < features[input].length(); place++) {
                double value = features[input].getDouble(place);
                double above = loss(vertex, features, input, place, value + STEP, epsilon);
                double below = loss(vertex, features, input, place, value - STEP, epsilon);
                features[input].putScalar(place, value);
                assertEquals(
                        (above - below) / (2 * STEP), gradients[input].getDouble(place), TOLERANCE);
            }
        }
    }

    private static double loss(
            GraphVertex vertex,
            INDArray[] features,
            int input,
            long place,
            double value,
            INDArray epsilon) {
        features[input].putScalar(place, value);
        return result(vertex, features).mul(epsilon).sumNumber().doubleValue();
    }

    private static INDArray result(GraphVertex vertex, INDArray... features) {
        for (int i = 0; i < features.length; i++) {
            vertex.setInput(i, features[i], LayerWorkspaceMgr.noWorkspaces());
        }
        return vertex.doForward(true, LayerWorkspaceMgr.noWorkspaces());
    }

    /** Squeeze and excite: a gate of one value a channel. */
    @Test
    void aGateOfChannelsLowers() {
        GraphBuilder builder =
                new NeuralNetConfiguration.Builder()
                        .seed(5)
                        .graphBuilder()
                        .addInputs("in")
                        .addLayer("a", convolution(3, 4, 3, Activation.RELU), "in")
                        .addLayer("squeeze", pool(4), "a")
                        .addLayer("gate", convolution(4, 4, 1, Activation.SIGMOID), "squeeze")
                        .addVertex("it", new ElementWiseVertex(Op.Product), "a", "gate")
                        .addLayer("out", convolution(4, 2, 1, Activation.IDENTITY), "it")
                        .setOutputs("out");
        Nd4j.getRandom().setSeed(9);
        INDArray features = Nd4j.randn(DataType.FLOAT, EXAMPLES, 3, 6, 6);
        ComputationGraph network = prepared(builder, LayerScheme.INT8, features);
        assertEquals(
                new QuantizedProductVertex("a", "gate", "it/quantized"),
                network.getConfiguration().getVertices().get("it"));
        network.getConfiguration()
                .setTrainingWorkspaceMode(org.deeplearning4j.nn.conf.WorkspaceMode.ENABLED);
        requireExact(network, features);
        assertTrue(
                Quantization.lower(network).nodes().stream()
                        .anyMatch(Elementwise.class::isInstance));
    }

    private static ConvolutionLayer convolution(int in, int out, int kernel, Activation function) {
        return new ConvolutionLayer.Builder(kernel, kernel)
                .nIn(in)
                .nOut(out)
                .activation(function)
                .build();
    }

    private static SubsamplingLayer pool(int size) {
        return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.AVG)
                .kernelSize(size, size)
                .stride(size, size)
                .build();
    }
}
