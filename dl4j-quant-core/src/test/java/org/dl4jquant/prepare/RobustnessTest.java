// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Bad input is refused with the layer's name, and nothing of the user's is changed. */
class RobustnessTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static MultiLayerNetwork network() {
        return Networks.of(
                InputType.feedForward(6),
                new DenseLayer.Builder().name("first").nOut(8).activation(Activation.RELU).build(),
                new DenseLayer.Builder().name("second").nOut(8).activation(Activation.TANH).build(),
                new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                        .name("last")
                        .nOut(Networks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build());
    }

    private static DataSet data() {
        return Networks.data(16, 6);
    }

    private static String refusal(MultiLayerNetwork network, QuantSpec spec, DataSet... batches) {
        return assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                Preparation.prepare(
                                        network,
                                        spec,
                                        new ListDataSetIterator<>(List.of(batches), 16)))
                .getMessage();
    }

    @Test
    void leavesTheFloatNetworkAsItWas() {
        MultiLayerNetwork network = network();
        INDArray parameters = network.params().dup();
        String conf = network.getLayerWiseConfigurations().toJson();
        MultiLayerNetwork prepared =
                Preparation.prepare(network, INT8, Networks.batches(data())).network();
        prepared.fit(data());
        assertEquals(parameters, network.params());
        assertEquals(conf, network.getLayerWiseConfigurations().toJson());
    }

    @Test
    void refusesANetworkThatIsNotInitialized() {
        MultiLayerNetwork raw = new MultiLayerNetwork(network().getLayerWiseConfigurations());
        assertTrue(refusal(raw, INT8, data()).contains("call init() and train it first"));
    }

    @Test
    void refusesANetworkThatIsPreparedAlready() {
        MultiLayerNetwork prepared =
                Preparation.prepare(network(), INT8, Networks.batches(data())).network();
        assertTrue(refusal(prepared, INT8, data()).contains("'first' is quantized already"));
    }

    @Test
    @SuppressWarnings("deprecation") // ND4J has no other name for it that DL4J accepts
    void refusesHalfPrecisionNetworks() {
        MultiLayerNetwork half = network().convertDataType(DataType.HALF);
        assertTrue(refusal(half, INT8, data()).contains("computes in HALF"));
    }

    @Test
    void refusesNanWeightsByLayer() {
        MultiLayerNetwork network = network();
        network.getLayer(1).getParam("W").putScalar(3, Float.NaN);
        String message = refusal(network, INT8, data());
        assertTrue(message.contains("layer 'second': parameter 'W'"), message);
    }

    @Test
    void refusesNanInputs() {
        DataSet broken = data();
        broken.getFeatures().putScalar(5, Float.POSITIVE_INFINITY);
        String message = refusal(network(), INT8, broken);
        assertTrue(message.contains("input 0 holds NaN or infinite values"), message);
    }

    @Test
    void refusesActivationsThatOverflow() {
        MultiLayerNetwork network = network();
        network.getLayer(0).getParam("W").assign(3e38);
        String message = refusal(network, INT8, data());
        assertTrue(message.contains("layer 'first'"), message);
    }

    @Test
    void refusesEmptyCalibrationData() {
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        Preparation.prepare(
                                                network(),
                                                INT8,
                                                new ListDataSetIterator<>(List.<DataSet>of(), 4)))
                        .getMessage();
        assertTrue(message.contains("calibration data are empty"), message);
    }

    @Test
    void refusesDataOfAnotherShape() {
        String message = refusal(network(), INT8, Networks.data(16, 5));
        assertTrue(message.contains("[[16, 5]]") && message.contains("first"), message);
    }

    @Test
    void givesDeadAndConstantChannelsAUsableScale() {
        MultiLayerNetwork network = network();
        network.getLayer(0).getParam("W").getColumn(2).assign(0);
        network.getLayer(0).getParam("W").getColumn(3).assign(0.25);
        network.getLayer(1).getParam("W").assign(0);
        MultiLayerNetwork prepared =
                Preparation.prepare(network, INT8, Networks.batches(data())).network();
        for (int i = 0; i < 3; i++) {
            prepared.fit(data());
        }
        assertFalse(prepared.output(data().getFeatures()).isNaN().any());
        assertTrue(prepared.getLayer(0).getParam("scaleW").minNumber().doubleValue() > 0);
    }

    @Test
    void reportsWhyALayerStaysInFloat() {
        PreparedNetwork<MultiLayerNetwork> prepared =
                Preparation.prepare(
                        network(),
                        INT8.with(LayerSelector.named("second"), LayerScheme.FLOAT),
                        Networks.batches(data()));
        PrepareReport.Entry entry = prepared.report().layer("second");
        assertFalse(entry.quantized());
        assertEquals("stays in float: a rule of the spec says so", entry.remark());
        assertTrue(prepared.report().layer("last").remark().startsWith("rounds its input"));
        String unknown =
                assertThrows(IllegalArgumentException.class, () -> prepared.report().layer("third"))
                        .getMessage();
        assertEquals("the report has no layer 'third'; it has [first, second, last]", unknown);
    }

    @Test
    void aNanScaleIsReportedWithItsLayer() {
        MultiLayerNetwork prepared =
                Preparation.prepare(network(), INT8, Networks.batches(data())).network();
        prepared.getLayer(1).getParam("scaleW").putScalar(2, Float.NaN);
        String message =
                assertThrows(IllegalStateException.class, () -> prepared.fit(data())).getMessage();
        assertTrue(message.contains("layer \"second\"") && message.contains("NaN"), message);
    }

    @Test
    void aScaleBelowZeroIsMovedToTheLeastAndTrainingGoesOn() {
        MultiLayerNetwork prepared =
                Preparation.prepare(network(), INT8, Networks.batches(data())).network();
        prepared.getLayer(0).getParam("scaleOut").assign(-1);
        prepared.fit(data());
        assertTrue(prepared.getLayer(0).getParam("scaleOut").getFloat(0) > 0);
        assertFalse(prepared.params().isNaN().any());
    }

    @Test
    void aStepThatIsMuchTooLongDoesNotCollapseTheScalesOfWeights() {
        MultiLayerNetwork prepared =
                Preparation.prepare(network(), INT8, Networks.batches(data())).network();
        INDArray scales = prepared.getLayer(0).getParam("scaleW");
        INDArray fitted = scales.dup();
        scales.assign(-1);
        prepared.getLayer(0).applyConstraints(0, 0);
        for (int i = 0; i < scales.length(); i++) {
            assertTrue(scales.getDouble(i) > 0.01 * fitted.getDouble(i), "scale " + i);
            assertTrue(scales.getDouble(i) < fitted.getDouble(i), "scale " + i);
        }
    }

    @Test
    void frozenLayersKeepTheirParametersAndTheRestTrains() {
        MultiLayerNetwork prepared =
                Preparation.prepare(network(), INT8, Networks.batches(data())).network();
        MultiLayerNetwork transferred =
                new TransferLearning.Builder(prepared).setFeatureExtractor(0).build();
        INDArray x = data().getFeatures();
        assertEquals(prepared.output(x), transferred.output(x));
        INDArray frozen = transferred.getLayer(0).params().dup();
        INDArray free = transferred.getLayer(2).params().dup();
        transferred.fit(data());
        assertEquals(frozen, transferred.getLayer(0).params());
        assertFalse(free.equals(transferred.getLayer(2).params()));
    }

    @Test
    void aRenamedLayerIsStillFoundByItsReaders() {
        MultiLayerNetwork prepared =
                Preparation.prepare(network(), INT8, Networks.batches(data())).network();
        ComputationGraph graph = prepared.toComputationGraph();
        INDArray x = data().getFeatures();
        assertEquals("0", graph.getLayer(0).getConfig().getLayerName());
        assertEquals(prepared.output(x), graph.outputSingle(x));
        prepared.fit(data());
        graph.fit(data());
        assertEquals(prepared.params(), graph.params());
        assertEquals(prepared.output(x), graph.outputSingle(x));
    }

    @Test
    void aReaderOfALayerThatWasRemovedIsRefused() {
        MultiLayerNetwork prepared =
                Preparation.prepare(network(), INT8, Networks.batches(data())).network();
        String conf = prepared.getLayerWiseConfigurations().toJson();
        MultiLayerNetwork broken =
                new MultiLayerNetwork(
                        MultiLayerConfiguration.fromJson(
                                conf.replace(
                                        "\"outputName\" : \"first\"",
                                        "\"outputName\" : \"removed\"")));
        broken.init(prepared.params().dup().reshape(1, -1), false);
        String message =
                assertThrows(IllegalStateException.class, () -> broken.output(data().getFeatures()))
                        .getMessage();
        assertTrue(message.contains("'second'") && message.contains("'first'"), message);
    }
}
