// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.distribution.UniformDistribution;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.nn.weights.WeightInitConstant;
import org.deeplearning4j.nn.weights.WeightInitDistribution;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.Granularity;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers of quantized networks get other numbers of outputs, or a refusal says what to do. */
class LayerSizesTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final DataSet IMAGES = Networks.data(24, 2, 8, 8);

    private static ConvolutionLayer.Builder convolution(int outputs) {
        return new ConvolutionLayer.Builder(3, 3).nOut(outputs).activation(Activation.RELU);
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("last")
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    /** Pooled, flattened, and with batch normalization. */
    private static MultiLayerNetwork row(QuantSpec spec) {
        MultiLayerNetwork network =
                Networks.of(
                        new Adam(0.01),
                        InputType.convolutional(8, 8, 2),
                        convolution(4).name("first").build(),
                        new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build(),
                        new ConvolutionLayer.Builder(2, 2)
                                .name("second")
                                .nOut(3)
                                .activation(Activation.IDENTITY)
                                .build(),
                        new BatchNormalization.Builder().build(),
                        new DenseLayer.Builder()
                                .name("dense")
                                .nOut(6)
                                .activation(Activation.RELU)
                                .build(),
                        output());
        return prepared(network, spec, IMAGES);
    }

    private static MultiLayerNetwork prepared(
            MultiLayerNetwork network, QuantSpec spec, DataSet data) {
        MultiLayerNetwork made =
                Preparation.prepare(network, spec, Networks.batches(data)).network();
        made.fit(data);
        return made;
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().nOut(8).activation(Activation.RELU).build();
    }

    private static void requireTrainsAndLowers(MultiLayerNetwork network, DataSet data) {
        Recalibration.ofUncalibrated(network, Networks.batches(data));
        double before = network.score(data);
        for (int i = 0; i < 10; i++) {
            network.fit(data);
        }
        assertTrue(network.score(data) < before, "the loss fell");
        try (Engine engine = Engine.open("reference", Quantization.lower(network))) {
            var report = SimulatorCheck.between(network, engine).over(data.getFeatures());
            assertEquals(0, report.differingCodes(), report.toString());
        }
    }

    private static INDArray parameter(MultiLayerNetwork network, String layer, String key) {
        return network.getLayer(layer).getParam(key);
    }

    @Nested
    class Row {

        @Test
        void aConvolutionIsWidenedThroughThePool() {
            MultiLayerNetwork narrow = row(INT8);

            MultiLayerNetwork wide = LayerSizes.of(narrow).nOutReplace("first", 7).build();

            assertArrayEquals(new long[] {7, 2, 3, 3}, parameter(wide, "first", "W").shape());
            assertArrayEquals(new long[] {3, 7, 2, 2}, parameter(wide, "second", "W").shape());
            assertArrayEquals(new long[] {7}, parameter(wide, "first", "scaleW").shape());
            for (String same : new String[] {"dense", "last"}) {
                assertEquals(narrow.getLayer(same).params(), wide.getLayer(same).params());
            }
            assertEquals(narrow.getIterationCount(), wide.getIterationCount());
            requireTrainsAndLowers(wide, IMAGES);
        }

        @Test
        void theScaleOfAnInputThatStaysIsKept() {
            MultiLayerNetwork narrow = row(INT8);
            MultiLayerNetwork wide = LayerSizes.of(narrow).nOutReplace("first", 7).build();
            assertEquals(
                    parameter(narrow, "first", "scaleIn"), parameter(wide, "first", "scaleIn"));
            assertNotEquals(
                    parameter(narrow, "second", "scaleOut"), parameter(wide, "second", "scaleOut"));
        }

        @Test
        void flattenedImagesAndTheNormalizationFollow() {
            MultiLayerNetwork wide = row(INT8);
            long inputs = parameter(wide, "dense", "W").size(0);

            MultiLayerNetwork narrow = LayerSizes.of(wide).nOutReplace("second", 2).build();

            assertEquals(inputs / 3 * 2, parameter(narrow, "dense", "W").size(0));
            assertEquals(2, parameter(narrow, "second", "gamma").length());
            requireTrainsAndLowers(narrow, IMAGES);
        }

        @Test
        void severalLayersChangeAtOnce() {
            MultiLayerNetwork changed =
                    LayerSizes.of(row(INT8))
                            .nOutReplace("first", 5)
                            .nOutReplace("second", 6)
                            .nOutReplace("dense", 4)
                            .build();
            assertArrayEquals(new long[] {6, 5, 2, 2}, parameter(changed, "second", "W").shape());
            requireTrainsAndLowers(changed, IMAGES);
        }

        @Test
        void weightsAreDrawnAsAsked() {
            MultiLayerNetwork changed =
                    LayerSizes.of(row(INT8))
                            .nOutReplace(
                                    "second",
                                    5,
                                    new WeightInitConstant(0.25),
                                    new WeightInitDistribution(new UniformDistribution(2, 3)))
                            .build();
            assertEquals(0.25, parameter(changed, "second", "W").minNumber().doubleValue());
            assertEquals(0.25, parameter(changed, "second", "W").maxNumber().doubleValue());
            INDArray next = parameter(changed, "dense", "W");
            assertTrue(next.minNumber().doubleValue() >= 2, "drawn from [2, 3]");
            MultiLayerNetwork alike =
                    LayerSizes.of(row(INT8)).nOutReplace("second", 5, WeightInit.ZERO).build();
            assertEquals(0, parameter(alike, "dense", "W").amaxNumber().doubleValue());
        }

        @Test
        void prepareCalibratesChangedLayersAndNewOnes() {
            MultiLayerNetwork changed = LayerSizes.of(row(INT8)).nOutReplace("first", 5).build();
            MultiLayerNetwork five = OutputLayers.replace(changed, Networks.CLASSES);
            MultiLayerNetwork again =
                    Preparation.prepare(five, INT8, Networks.batches(IMAGES)).network();
            assertEquals(changed.getLayer("dense").params(), again.getLayer("dense").params());
            assertNotEquals(
                    parameter(changed, "second", "scaleOut"),
                    parameter(again, "second", "scaleOut"));
            requireTrainsAndLowers(again, IMAGES);
        }

        @Test
        void floatNetworksChangeToo() {
            MultiLayerNetwork network =
                    Networks.of(
                            new Adam(0.01),
                            InputType.convolutional(8, 8, 2),
                            convolution(4).name("first").build(),
                            new DepthwiseConvolution2D.Builder(3, 3)
                                    .depthMultiplier(2)
                                    .activation(Activation.IDENTITY)
                                    .build(),
                            new BatchNormalization.Builder().build(),
                            new SpaceToDepthLayer.Builder<>(2).build(),
                            convolution(3).kernelSize(1, 1).name("after").build(),
                            output());
            MultiLayerNetwork changed = LayerSizes.of(network).nOutReplace("first", 3).build();
            assertEquals(3 * 2 * 4, parameter(changed, "after", "W").size(1));
            changed.fit(IMAGES);
            requireTrainsAndLowers(prepared(changed, INT8, IMAGES), IMAGES);
        }

        @Test
        void recurrentLayersInBothDirectionsChange() {
            MultiLayerNetwork network =
                    Networks.of(
                            InputType.recurrent(4, 5),
                            new Bidirectional(
                                    new LSTM.Builder().nOut(3).activation(Activation.TANH).build()),
                            new LSTM.Builder().nOut(3).activation(Activation.TANH).build(),
                            new RnnOutputLayer.Builder(LossFunction.MSE)
                                    .nOut(2)
                                    .activation(Activation.IDENTITY)
                                    .build());
            network.getLayer(0).conf().getLayer().setLayerName("both");
            network.getLayer(1).conf().getLayer().setLayerName("next");
            MultiLayerNetwork changed = LayerSizes.of(network).nOutReplace("both", 4).build();
            assertEquals(8, parameter(changed, "next", "W").size(0));
            assertEquals(2, changed.output(Networks.normal(1, 2, 4, 5)).size(1));
        }
    }

    private static void assertRefused(String words, Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(words), message);
    }

    @Nested
    class Refusals {

        @Test
        void aLayerMustHaveANumberOfOutputsAndGetAnother() {
            LayerSizes<MultiLayerNetwork> sizes = LayerSizes.of(row(INT8));
            assertRefused("no layer 'x'; it has [first,", () -> sizes.nOutReplace("x", 3));
            assertRefused("has 4 outputs and would have 4", () -> sizes.nOutReplace("first", 4));
            assertRefused("has 4 outputs and would have 0", () -> sizes.nOutReplace("first", 0));
            assertRefused(
                    "'layer1' (SubsamplingLayer) has no number of outputs that could be changed; change the"
                            + " layer before it",
                    () -> sizes.nOutReplace("layer1", 3));
        }

        @Test
        void frozenLayersDrawNoWeights() {
            MultiLayerNetwork network =
                    Networks.of(
                            InputType.feedForward(8), dense(), new FrozenLayer(dense()), output());
            String first = network.getLayerNames().get(0);
            assertRefused(
                    "cannot follow: the layer is frozen",
                    LayerSizes.of(network).nOutReplace(first, 9)::build);
        }

        @Test
        void groupsDivideTheNewInputs() {
            TensorScheme grouped =
                    TensorScheme.INT8_WEIGHTS.withGranularity(new Granularity.PerGroup(3));
            QuantSpec spec =
                    INT8.with(
                            LayerSelector.named("last"),
                            new LayerScheme(grouped, LayerScheme.INT8.activations()));
            assertRefused(
                    "7 inputs, which groups of 3 do not divide",
                    LayerSizes.of(row(spec)).nOutReplace("dense", 7)::build);
        }
    }
}
