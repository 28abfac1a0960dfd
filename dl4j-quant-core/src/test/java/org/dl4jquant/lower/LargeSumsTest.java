// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.OverflowCertificate;
import org.dl4jquant.layer.LayerIntegers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Sums beyond 2^24, and biases that cancel them: exact in inference and engines up to int32. */
class LargeSumsTest {

    private static final int EXAMPLES = 6;
    private static final int INPUTS = 4000;

    /** Where float32 no longer holds every integer. */
    private static final long EXACT = 1 << 24;

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    /* Weights of one sign and inputs near 1: each sum is near the sum of the weights, and the bias
     * takes it away. */
    private static void cancel(Layer layer, int sumsPerChannel) {
        INDArray weights = layer.getParam("W");
        weights.assign(Networks.normal(3, weights.shape()).muli(0.01).addi(0.06));
        layer.getParam("b").assign(-0.06 * sumsPerChannel);
    }

    private static MultiLayerNetwork prepared(MultiLayerNetwork network, INDArray features) {
        return Quantization.prepare(
                network,
                QuantSpec.of(LayerScheme.INT8),
                new SingletonDataSetIterator(
                        new DataSet(features, Nd4j.zeros(EXAMPLES, Networks.CLASSES))));
    }

    /** Returns the largest sum, which must be beyond float32's integers for a test to be one. */
    private static long requireExact(MultiLayerNetwork network, INDArray features) {
        LayerIntegers integers = LayerIntegers.of(network.getLayer(0)).orElseThrow();
        WeightTensor weights = integers.weights();
        float[] trained = RowMajor.floats(network.getLayer(0).getParam("scaleW"));
        for (int channel = 0; channel < weights.channels(); channel++) {
            assertEquals(trained[channel], weights.scale(channel), "scale of " + channel);
        }
        float code = network.getLayer(0).getParam(TensorRole.OUTPUT.scaleKey()).getFloat(0);
        INDArray inference = network.feedForward(features, false).get(1);
        INDArray training = network.feedForward(features, true).get(1);
        assertTrue(inference.amaxNumber().floatValue() > 50 * code, "the sums cancel to nothing");
        // Training adds in float32: at most one code apart.
        double apart = inference.sub(training).amaxNumber().doubleValue() / code;
        assertTrue(apart < 1.01, () -> "training and inference differ by " + apart + " codes");

        IntGraph graph = Quantization.lower(network);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnxRuntime)
                    .over(EngineInputs.of(graph, features))
                    .requireEqual();
            SimulatorReport report = SimulatorCheck.between(network, reference).over(features);
            assertEquals(0, report.differingCodes(), report::toString);
        }
        return OverflowCertificate.of(weights, integers.input()).highest();
    }

    @Test
    void aDenseLayerIsAsExactInInferenceAsInTraining() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(INPUTS),
                        new DenseLayer.Builder().nOut(8).activation(Activation.IDENTITY).build(),
                        output());
        cancel(network.getLayer(0), INPUTS);
        INDArray features = Networks.normal(4, EXAMPLES, INPUTS).muli(0.1).addi(1);
        assertTrue(requireExact(prepared(network, features), features) > EXACT);
    }

    @Test
    void oneExampleWithNanLeavesTheOthersExact() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(INPUTS),
                        new DenseLayer.Builder().nOut(8).activation(Activation.IDENTITY).build(),
                        output());
        cancel(network.getLayer(0), INPUTS);
        INDArray features = Networks.normal(4, EXAMPLES, INPUTS).muli(0.1).addi(1);
        MultiLayerNetwork prepared = prepared(network, features);
        float[] expected = RowMajor.floats(prepared.output(features));
        features.putScalar(0, 7, Float.NaN);
        float[] found = RowMajor.floats(prepared.output(features));
        for (int i = 0; i < found.length; i++) {
            assertEquals(i < Networks.CLASSES ? Float.NaN : expected[i], found[i]);
        }
    }

    @Test
    void aConvolutionIsAsExactInInferenceAsInTraining() {
        int channels = 256;
        MultiLayerNetwork network =
                Networks.of(
                        InputType.convolutional(5, 5, channels),
                        new ConvolutionLayer.Builder(3, 3)
                                .nOut(8)
                                .convolutionMode(ConvolutionMode.Truncate)
                                .activation(new ActivationReLU(4.0, null, null))
                                .build(),
                        output());
        cancel(network.getLayer(0), 9 * channels);
        INDArray features = Networks.normal(4, EXAMPLES, channels, 5, 5).muli(0.1).addi(1);
        assertTrue(requireExact(prepared(network, features), features) > EXACT);
    }

    /* Of a graph, whose layers have other workspaces. */
    @Test
    void laterLayersOfAGraphAreAsExact() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(3),
                        new DenseLayer.Builder().nOut(INPUTS).activation(Activation.RELU).build(),
                        new DenseLayer.Builder().nOut(8).activation(Activation.RELU).build(),
                        new DenseLayer.Builder().nOut(8).activation(Activation.RELU).build(),
                        output());
        network.getLayer(0).getParam("b").assign(2);
        cancel(network.getLayer(1), INPUTS);
        INDArray features = Networks.normal(4, EXAMPLES, 3);
        EqualIntegers.of(
                network.toComputationGraph(),
                QuantSpec.of(LayerScheme.INT8),
                new DataSet(features, Networks.normal(5, EXAMPLES, Networks.CLASSES)));
    }

    @Test
    void signedInputsAreExactToo() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(INPUTS),
                        new DenseLayer.Builder().nOut(8).activation(Activation.TANH).build(),
                        output());
        INDArray weights = network.getLayer(0).getParam("W");
        INDArray signs = Nd4j.ones(INPUTS, 1);
        for (int i = 0; i < INPUTS; i += 3) {
            signs.putScalar(i, 0, -1);
        }
        cancel(network.getLayer(0), INPUTS);
        weights.muliColumnVector(signs);
        INDArray features =
                Networks.normal(4, EXAMPLES, INPUTS)
                        .muli(0.1)
                        .addi(1)
                        .muliRowVector(signs.reshape(1, INPUTS));
        assertTrue(requireExact(prepared(network, features), features) > EXACT);
    }

    /** Near ties, a division in float32 rounds some to the other neighbour. */
    @Test
    void trainingRoundsEachBiasToTheIntegerOfInference() {
        int outputs = 20_000;
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(3),
                        new DenseLayer.Builder().nOut(outputs).activation(Activation.RELU).build(),
                        output());
        network.getLayer(0).getParam("b").assign(Networks.normal(6, 1, outputs).muli(3));
        INDArray features = Networks.normal(4, EXAMPLES, 3);
        MultiLayerNetwork prepared = prepared(network, features);
        prepared.feedForward(features, true);
        LayerIntegers integers = LayerIntegers.of(prepared.getLayer(0)).orElseThrow();
        WeightTensor weights = integers.weights();
        float[] rounded =
                RowMajor.floats(
                        ((BaseWrapperLayer) prepared.getLayer(0)).getUnderlying().getParam("b"));
        for (int channel = 0; channel < outputs; channel++) {
            float step = integers.input().scale() * weights.scale(channel);
            assertEquals((float) ((double) weights.bias(channel) * step), rounded[channel]);
        }
    }
}
