// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class SimulatorCheckTest {

    private static final int CLASSES = 3;
    private static final int SIDE = 4;
    private static final int EXAMPLES = 2;

    /** A class for each pixel. */
    private static MultiLayerNetwork pixels(Activation activation) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(2)
                                .list()
                                .layer(
                                        new ConvolutionLayer.Builder(1, 1)
                                                .nOut(CLASSES)
                                                .convolutionMode(ConvolutionMode.Same)
                                                .activation(Activation.IDENTITY)
                                                .build())
                                .layer(
                                        new CnnLossLayer.Builder(LossFunction.MSE)
                                                .activation(activation)
                                                .build())
                                .setInputType(InputType.convolutional(SIDE, SIDE, 2))
                                .build());
        network.init();
        return prepared(network, features());
    }

    private static INDArray features() {
        Nd4j.getRandom().setSeed(8);
        return Nd4j.randn(EXAMPLES, 2, SIDE, SIDE);
    }

    private static MultiLayerNetwork prepared(MultiLayerNetwork trained, INDArray features) {
        DataSet data = new DataSet(features, trained.output(features));
        return Quantization.prepare(
                trained, QuantSpec.of(LayerScheme.INT8), new SingletonDataSetIterator(data));
    }

    /** The reference whose run returns another element in each place of its output. */
    private record Changed(Engine engine, IntUnaryOperator from) implements Engine {

        @Override
        public String name() {
            return engine.name();
        }

        @Override
        public IntGraph graph() {
            return engine.graph();
        }

        @Override
        public Map<String, Batch> run(Map<String, Batch.Floats> inputs) {
            Map<String, Batch> changed = new LinkedHashMap<>();
            engine.run(inputs)
                    .forEach(
                            (name, batch) -> {
                                float[] values = ((Batch.Floats) batch).values();
                                float[] other = new float[values.length];
                                for (int i = 0; i < other.length; i++) {
                                    other[i] = values[from.applyAsInt(i)];
                                }
                                changed.put(
                                        name, Batch.Floats.of(batch.size(), batch.shape(), other));
                            });
            return changed;
        }

        @Override
        public Map<String, Batch> trace(Map<String, Batch.Floats> inputs) {
            return engine.trace(inputs);
        }

        @Override
        public void close() {
            engine.close();
        }
    }

    private static SimulatorReport over(MultiLayerNetwork network, IntUnaryOperator from) {
        try (Engine engine = Engine.open("reference", Quantization.lower(network));
                Engine changed = new Changed(engine, from)) {
            return SimulatorCheck.between(network, changed).over(features());
        }
    }

    @Test
    void comparesEveryValueThatUsersSee() {
        SimulatorReport report = over(pixels(Activation.SOFTMAX), i -> i);
        assertEquals(EXAMPLES * CLASSES * SIDE * SIDE, report.values());
        assertEquals(0, report.differingOutputs());
        assertEquals(0, report.top1Changed());
    }

    /** Channels 0 and 1 change places in one pixel: its class changes if it was one of them. */
    @Test
    void countsAChangedClassForEachPixel() {
        MultiLayerNetwork network = pixels(Activation.SIGMOID);
        int pixel = firstPixelOfClassZeroOrOne(network);
        int plane = SIDE * SIDE;
        IntUnaryOperator swap = i -> i == pixel ? i + plane : i == pixel + plane ? i - plane : i;
        SimulatorReport report = over(network, swap);
        assertEquals(1, report.top1Changed(), report::toString);
        assertEquals(2, report.differingOutputs(), report::toString);
        assertEquals(0, report.differingCodes(), report::toString);
        // Every pixel of both examples: the channels move up by one.
        IntUnaryOperator rotated =
                i -> i / (CLASSES * plane) * CLASSES * plane + (i + plane) % (CLASSES * plane);
        assertEquals((long) EXAMPLES * plane, over(network, rotated).top1Changed());
    }

    private static int firstPixelOfClassZeroOrOne(MultiLayerNetwork network) {
        INDArray classes = network.output(features()).argMax(1);
        for (int i = 0; i < SIDE * SIDE; i++) {
            if (classes.getInt(0, i / SIDE, i % SIDE) < 2) {
                return i;
            }
        }
        throw new IllegalStateException("every pixel is of class 2; take another seed");
    }

    @Test
    void saysWhichOutputDiffers() {
        SimulatorReport report = over(pixels(Activation.SIGMOID), i -> i == 5 ? 4 : i);
        assertEquals(1, report.differingOutputs());
        assertEquals(
                String.format(
                        "0 of 0 codes differ over 2 examples, by 0 at most; 1 of 96 output values"
                                + " differ; top-1 changed for %d%n  output layer1: 1",
                        report.top1Changed()),
                report.toString());
    }

    @Test
    void comparesANetworkOfOneLayer() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .list()
                                .layer(
                                        new OutputLayer.Builder(LossFunction.MCXENT)
                                                .nOut(CLASSES)
                                                .activation(Activation.SOFTMAX)
                                                .build())
                                .setInputType(InputType.feedForward(5))
                                .build());
        network.init();
        INDArray features = Nd4j.randn(EXAMPLES, 5);
        MultiLayerNetwork prepared = prepared(network, features);
        try (Engine engine = Engine.open("reference", Quantization.lower(prepared))) {
            SimulatorReport report = SimulatorCheck.between(prepared, engine).over(features);
            assertEquals(EXAMPLES * CLASSES, report.values());
            assertEquals(0, report.differingOutputs());
        }
    }

    @Test
    void refusesFeaturesOfAnotherLayoutWithAsManyElements() {
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("image", Shape.of(3, 8, 6)),
                                new Quantize(
                                        "codes",
                                        "image",
                                        new QuantParams(1, 0, CodeRange.signed(8)))),
                        List.of("codes"));
        assertEquals(2, EngineInputs.of(graph, Nd4j.zeros(2, 3, 8, 6)).get("image").size());
        for (long[] shape : new long[][] {{2, 8, 6, 3}, {2, 3, 6, 8}, {2, 144}, {6, 8, 6}}) {
            assertEquals(
                    "features of shape "
                            + Arrays.toString(shape)
                            + " do not fit input 'image', which takes arrays of shape [examples, 3,"
                            + " 8, 6]; reshape or permute them: an array of another layout with as"
                            + " many elements, such as NHWC for NCHW, would be read in the wrong"
                            + " order",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> EngineInputs.of(graph, Nd4j.zeros(shape)))
                            .getMessage());
        }
    }

    @Test
    void refusesAnInputWithoutFeaturesByName() {
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("image", Shape.of(2)),
                                new Quantize(
                                        "codes",
                                        "image",
                                        new QuantParams(1, 0, CodeRange.signed(8)))),
                        List.of("codes"));
        assertEquals(
                "the features for input 'image' are null; give an array for each of the graph's"
                        + " inputs",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> EngineInputs.of(graph, (INDArray) null))
                        .getMessage());
    }
}
