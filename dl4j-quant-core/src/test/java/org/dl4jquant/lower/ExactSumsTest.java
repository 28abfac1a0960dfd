// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.fakequant.FakeQuantizer;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.QuantizedAddVertex;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeSum;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationReLU6;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Sums and concatenations of all pairs of codes: the network's inference computes what the engines
 * compute, also where a float sum is rounded to the neighbouring code.
 */
final class ExactSumsTest {

    private static final int CODES = 256;
    private static final CodeRange INT8 = CodeRange.signed(8);
    private static final int TRIALS = 150;

    /** Scales whose sums often lie at ties: eighths and sixty-fourths of each other. */
    private static final float[] NEAR_TIES = {
        0.796875f, 0.75f, 0.59375f, 0.484375f, 0.84375f, 0.8125f, 0.5625f, 0.5f, 1
    };

    private static GraphBuilder builder() {
        return new NeuralNetConfiguration.Builder()
                .seed(3)
                .graphBuilder()
                .addInputs("left", "right")
                .setInputTypes(InputType.feedForward(CODES), InputType.feedForward(CODES));
    }

    /** Adds or joins two inputs, and prepares the network with asymmetric signed codes. */
    private static ComputationGraph prepared(GraphBuilder builder, String last) {
        ComputationGraph network =
                new ComputationGraph(
                        builder.addLayer(
                                        "output",
                                        new OutputLayer.Builder(LossFunction.MSE)
                                                .nOut(2)
                                                .activation(Activation.IDENTITY)
                                                .build(),
                                        last)
                                .setOutputs("output")
                                .build());
        network.init();
        Nd4j.getRandom().setSeed(8);
        INDArray[] features = {Nd4j.randn(8, CODES), Nd4j.randn(8, CODES)};
        LayerScheme asymmetric =
                new LayerScheme(
                        TensorScheme.INT8_WEIGHTS,
                        TensorScheme.INT8_ACTIVATIONS.withSymmetry(Symmetry.ASYMMETRIC));
        return Quantization.prepare(
                network,
                QuantSpec.of(asymmetric),
                new SingletonMultiDataSetIterator(
                        new MultiDataSet(features, new INDArray[] {Nd4j.zeros(8, 2)})));
    }

    private static ComputationGraph sum() {
        return prepared(
                builder()
                        .addVertex(
                                "sum",
                                new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                "left",
                                "right"),
                "sum");
    }

    private static void set(ComputationGraph network, String layer, QuantParams params) {
        Layer quantizer = network.getLayer(layer);
        quantizer.getParam(TensorRole.OUTPUT.scaleKey()).assign(params.scale());
        quantizer.getParam(TensorRole.OUTPUT.zeroKey()).assign(params.zeroPoint());
    }

    private static QuantParams randomParams(Random random, boolean nearTies) {
        float scale =
                nearTies
                        ? NEAR_TIES[random.nextInt(NEAR_TIES.length)]
                        : (float) Math.exp(random.nextGaussian());
        int zeroPoint = random.nextInt(3) == 0 ? 0 : random.nextInt(CODES) - 128;
        return new QuantParams(scale, zeroPoint, INT8);
    }

    /** Each row of {@code left} is one code, each column of {@code right} is one. */
    private static INDArray[] allPairs(QuantParams left, QuantParams right) {
        float[] rows = new float[CODES * CODES];
        float[] columns = new float[CODES * CODES];
        for (int pair = 0; pair < rows.length; pair++) {
            rows[pair] = left.dequantize(pair / CODES - 128);
            columns[pair] = right.dequantize(pair % CODES - 128);
        }
        return new INDArray[] {
            RowMajor.array(rows, CODES, CODES), RowMajor.array(columns, CODES, CODES)
        };
    }

    private static float[] expectedSums(QuantParams left, QuantParams right, QuantParams result) {
        CodeSum sum = CodeSum.of(left, right, result, INT8);
        float[] values = new float[CODES * CODES];
        for (int pair = 0; pair < values.length; pair++) {
            values[pair] = result.dequantize(sum.code(pair / CODES - 128, pair % CODES - 128));
        }
        return values;
    }

    @Test
    void inferenceAddsAllPairsOfCodesAsTheEnginesDo() {
        ComputationGraph network = sum();
        Random random = new Random(5);
        long floatDiffers = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            QuantParams left = randomParams(random, trial % 2 == 0);
            QuantParams right = randomParams(random, trial % 2 == 0);
            QuantParams result = randomParams(random, trial % 2 == 0);
            set(network, "left/quantized", left);
            set(network, "right/quantized", right);
            set(network, "sum/quantized", result);
            INDArray[] features = allPairs(left, right);
            INDArray found = network.feedForward(features, false).get("sum/quantized");
            float[] expected = expectedSums(left, right, result);
            assertArrayEquals(
                    expected, RowMajor.floats(found), () -> left + " + " + right + " as " + result);
            floatDiffers += differing(expected, roundedFloatSum(features, result));
        }
        assertTrue(floatDiffers > 10_000, "only " + floatDiffers + " pairs are hard");
    }

    /** Also without zero points: a sum rounded to float32 may be on the other side of a tie. */
    @Test
    void theFloatSumOfSymmetricCodesIsRoundedOtherwise() {
        Random random = new Random(11);
        long differing = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            QuantParams[] params = new QuantParams[3];
            for (int i = 0; i < params.length; i++) {
                params[i] = new QuantParams(randomParams(random, true).scale(), 0, INT8);
            }
            float[] expected = expectedSums(params[0], params[1], params[2]);
            differing +=
                    differing(expected, roundedFloatSum(allPairs(params[0], params[1]), params[2]));
        }
        assertTrue(differing > 10_000, "only " + differing + " pairs are hard");
    }

    @Test
    void inferenceJoinsAllCodesAsTheEnginesDo() {
        ComputationGraph network =
                prepared(builder().addVertex("join", new MergeVertex(), "left", "right"), "join");
        Random random = new Random(6);
        for (int trial = 0; trial < TRIALS; trial++) {
            QuantParams[] parts = {
                randomParams(random, trial % 2 == 0), randomParams(random, trial % 2 == 0)
            };
            QuantParams result = randomParams(random, trial % 2 == 0);
            set(network, "left/quantized", parts[0]);
            set(network, "right/quantized", parts[1]);
            set(network, "join/quantized", result);
            float[] expected = new float[2 * CODES];
            float[][] values = new float[2][CODES];
            for (int part = 0; part < 2; part++) {
                CodeTable table = CodeTable.from(value -> value, parts[part], result);
                for (int i = 0; i < CODES; i++) {
                    int code = i - 128;
                    values[part][i] = parts[part].dequantize(code);
                    expected[part * CODES + i] = result.dequantize(table.lookUp((byte) code));
                }
            }
            INDArray found =
                    network.feedForward(
                                    new INDArray[] {
                                        RowMajor.array(values[0], 1, CODES),
                                        RowMajor.array(values[1], 1, CODES)
                                    },
                                    false)
                            .get("join/quantized");
            assertArrayEquals(expected, RowMajor.floats(found));
        }
    }

    @Test
    void aClampBehindTheSumIsThatOfTheEngines() {
        ComputationGraph network =
                prepared(
                        builder()
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "left",
                                        "right")
                                .addLayer(
                                        "clamp", new ActivationLayer(new ActivationReLU6()), "sum"),
                        "clamp");
        GraphVertex vertex = network.getConfiguration().getVertices().get("sum");
        assertEquals(new QuantizedAddVertex("left/quantized", "right/quantized", "clamp"), vertex);
        // With the last one, 0 and 6 have the same code.
        float[] factors = {1 / 8f, 1 / 64f, 32};
        Random random = new Random(7);
        for (int trial = 0; trial < 20; trial++) {
            QuantParams left = randomParams(random, true);
            QuantParams right = randomParams(random, true);
            set(network, "left/quantized", left);
            set(network, "right/quantized", right);
            // Unsigned codes, for nothing after the clamp is negative.
            network.getLayer("clamp")
                    .getParam(TensorRole.OUTPUT.scaleKey())
                    .assign(NEAR_TIES[trial % NEAR_TIES.length] * factors[trial % factors.length]);
            network.getLayer("clamp").getParam(TensorRole.OUTPUT.zeroKey()).assign(trial % 4);
            IntGraph graph = Quantization.lower(network);
            INDArray[] features = allPairs(left, right);
            try (Engine reference = Engine.open("reference", graph);
                    Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
                EqualityCheck.between(reference, onnxRuntime)
                        .over(EngineInputs.of(graph, features))
                        .requireEqual();
                SimulatorReport report = SimulatorCheck.between(network, reference).over(features);
                assertTrue(report.codes() >= 3L * CODES * CODES, report::toString);
                assertEquals(0, report.differingCodes(), report::toString);
            }
        }
    }

    @Test
    void scalesTooFarApartAreSimulatedInFloatAndNotLowered() {
        ComputationGraph network = sum();
        QuantParams one = new QuantParams(1, 0, INT8);
        set(network, "left/quantized", one);
        set(network, "right/quantized", one);
        set(network, "sum/quantized", new QuantParams(1e-7f, 0, INT8));
        INDArray[] features = {Nd4j.ones(1, CODES), Nd4j.ones(1, CODES)};
        assertEquals(
                127 * 1e-7f, network.feedForward(features, false).get("sum/quantized").getFloat(0));
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Engine.open("reference", Quantization.lower(network)))
                        .getMessage();
        assertTrue(message.contains("give the result a larger scale"), message);
    }

    @Test
    void trainingAddsInFloat() {
        ComputationGraph network = sum();
        QuantParams params = new QuantParams(0.75f, 3, INT8);
        set(network, "left/quantized", params);
        set(network, "right/quantized", params);
        set(network, "sum/quantized", new QuantParams(1, 1, INT8));
        INDArray[] features = allPairs(params, params);
        INDArray sum = network.feedForward(features, true).get("sum");
        assertEquals(features[0].add(features[1]), sum);
    }

    private static float[] roundedFloatSum(INDArray[] features, QuantParams result) {
        INDArray sum = features[0].add(features[1]);
        FakeQuantizer.of(INT8, result.zeroPoint(), Estimator.STE, Channels.NONE)
                .forward(sum, Nd4j.scalar(result.scale()), sum);
        return RowMajor.floats(sum);
    }

    private static long differing(float[] expected, float[] found) {
        long count = 0;
        for (int i = 0; i < expected.length; i++) {
            count += expected[i] == found[i] ? 0 : 1;
        }
        return count;
    }
}
