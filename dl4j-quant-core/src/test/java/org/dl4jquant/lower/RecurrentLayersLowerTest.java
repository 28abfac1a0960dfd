// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Recurrent layers lower, and the network infers what engines compute. */
@SuppressWarnings("deprecation") // GravesLSTM
class RecurrentLayersLowerTest {

    private static final int EXAMPLES = 6;
    private static final int FEATURES = 5;
    private static final int STEPS = 9;
    private static final int MANY_STEPS = 1000;
    private static final int UNITS = 7;
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static OutputLayer scores() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static LSTM lstm() {
        return new LSTM.Builder().nOut(UNITS).activation(Activation.TANH).build();
    }

    private static Stream<Layer> layers() {
        return Stream.of(
                lstm(),
                new LSTM.Builder()
                        .nOut(UNITS)
                        .activation(Activation.SOFTSIGN)
                        .gateActivationFunction(Activation.HARDSIGMOID)
                        .build(),
                new GravesLSTM.Builder().nOut(UNITS).activation(Activation.TANH).build(),
                new SimpleRnn.Builder().nOut(UNITS).activation(Activation.TANH).build(),
                new SimpleRnn.Builder().nOut(UNITS).activation(Activation.RELU).build());
    }

    private static MultiLayerNetwork prepared(int steps, Layer... layers) {
        return prepared(steps, Networks.labels(EXAMPLES), layers);
    }

    private static MultiLayerNetwork prepared(int steps, INDArray labels, Layer... layers) {
        MultiLayerNetwork trained = Networks.of(InputType.recurrent(FEATURES, steps), layers);
        DataSet data = new DataSet(Networks.normal(3, EXAMPLES, FEATURES, steps), labels);
        MultiLayerNetwork prepared = Quantization.prepare(trained, INT8, Networks.batches(data));
        prepared.fit(data);
        return prepared;
    }

    private static void requireEqual(MultiLayerNetwork prepared, int steps) {
        IntGraph graph = Quantization.lower(prepared);
        INDArray features = Networks.normal(4, EXAMPLES, FEATURES, steps).muli(1.5);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            SimulatorCheck check = SimulatorCheck.between(prepared, reference);
            assertEquals(0, check.over(features).differingCodes());
            EqualityCheck.between(reference, onnx)
                    .over(List.of(EngineInputs.of(graph, features)))
                    .requireEqual();
            Batch scores =
                    reference.run(EngineInputs.of(graph, features)).get(graph.outputs().get(0));
            assertArrayEquals(
                    RowMajor.floats(prepared.output(features)), ((Batch.Floats) scores).values());
        }
        assertTrue(graph.nodes().stream().anyMatch(Recurrent.class::isInstance), graph::toString);
    }

    @ParameterizedTest
    @MethodSource("layers")
    void theLastStepOfARecurrentLayerLowers(Layer layer) {
        requireEqual(prepared(STEPS, new LastTimeStep(layer), scores()), STEPS);
    }

    @ParameterizedTest
    @MethodSource("layers")
    void theOutputsOfAllStepsLower(Layer layer) {
        for (Activation function : List.of(Activation.SOFTMAX, Activation.IDENTITY)) {
            RnnOutputLayer output =
                    new RnnOutputLayer.Builder(LossFunction.MSE)
                            .nOut(Networks.CLASSES)
                            .activation(function)
                            .build();
            INDArray labels = Networks.normal(5, EXAMPLES, Networks.CLASSES, STEPS);
            requireEqual(prepared(STEPS, labels, layer.clone(), output), STEPS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void layersInBothDirectionsLower(Bidirectional.Mode mode) {
        Bidirectional both = new Bidirectional(mode, lstm());
        requireEqual(prepared(STEPS, new LastTimeStep(both), scores()), STEPS);
    }

    @ParameterizedTest
    @MethodSource("layers")
    void recurrentLayersInARowLower(Layer layer) {
        requireEqual(prepared(STEPS, layer, new LastTimeStep(layer.clone()), scores()), STEPS);
    }

    @Test
    void noCodeDiffersAfterAThousandSteps() {
        requireEqual(prepared(MANY_STEPS, lstm(), new LastTimeStep(lstm()), scores()), MANY_STEPS);
    }
}
