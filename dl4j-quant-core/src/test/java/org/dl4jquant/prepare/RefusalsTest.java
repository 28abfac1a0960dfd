// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.datasets.iterator.IteratorDataSetIterator;
import org.deeplearning4j.datasets.iterator.IteratorMultiDataSetIterator;
import org.deeplearning4j.datasets.iterator.utilty.SingletonMultiDataSetIterator;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.QuantizedAddVertex;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.lower.Lowering;
import org.dl4jquant.scheme.Fp16Format;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** The messages for a faulty network or faulty calibration data, word for word. */
class RefusalsTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static String argument(Executable call) {
        return assertThrows(IllegalArgumentException.class, call).getMessage();
    }

    private static String state(Executable call) {
        return assertThrows(IllegalStateException.class, call).getMessage();
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().nOut(4).activation(Activation.RELU).build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerNetwork network() {
        return Networks.of(InputType.feedForward(6), dense(), output());
    }

    private static ComputationGraph graph() {
        return network().toComputationGraph();
    }

    private static DataSet data() {
        return Networks.data(8, 6);
    }

    private static DataSetIterator batches() {
        return Networks.batches(data());
    }

    /** DL4J runs every layer of a network, so a forward pass that runs none stands in. */
    @Test
    void namesALayerThatCalibrationNeverReaches() {
        ScaleFitting fitting = new ScaleFitting(List.of(neverCalibrated().getLayers()));
        assertEquals(
                "layer 'dense' was never run by the calibration data, so nothing tells its ranges;"
                        + " remove it, or leave it in float by a rule of the spec",
                argument(() -> fitting.run(CalibrationData.of(batches(), 100), batch -> {})));
    }

    @Test
    void keepsTheBatchesOfAnIteratorThatCannotBeReset() {
        DataSetIterator once = new IteratorDataSetIterator(List.of(data()).iterator(), 8);
        MultiLayerNetwork network = network();
        assertEquals(
                Preparation.prepare(network, INT8, batches()).network().params(),
                Preparation.prepare(network, INT8, once).network().params());
    }

    @Test
    void keepsTheBatchesOfSeveralInputsThatCannotBeReset() {
        var once =
                new IteratorMultiDataSetIterator(
                        List.<MultiDataSet>of(data().toMultiDataSet()).iterator(), 8);
        ComputationGraph graph = graph();
        assertEquals(
                Preparation.prepare(graph, INT8, batches()).network().params(),
                Preparation.prepare(graph, INT8, once).network().params());
    }

    @Test
    void refusesDataForAnotherNumberOfInputs() {
        INDArray features = data().getFeatures();
        MultiDataSet two =
                new org.nd4j.linalg.dataset.MultiDataSet(
                        new INDArray[] {features, features}, new INDArray[] {data().getLabels()});
        assertEquals(
                "calibration batch 0 has 2 inputs, the network has 1",
                argument(
                        () ->
                                Preparation.prepare(
                                        graph(), INT8, new SingletonMultiDataSetIterator(two))));
    }

    @Test
    void refusesABatchWithoutExamples() {
        MultiDataSet none =
                new org.nd4j.linalg.dataset.MultiDataSet(
                        new INDArray[] {Nd4j.empty()}, new INDArray[] {data().getLabels()});
        assertEquals(
                "calibration batch 0: input 0 is empty, of shape []; give at least one example, and"
                        + " at least one step of sequences",
                argument(
                        () ->
                                Preparation.prepare(
                                        graph(), INT8, new SingletonMultiDataSetIterator(none))));
    }

    @Test
    void refusesABatchWithoutFeatures() {
        assertEquals(
                "calibration batch 0: input 0 has no features; give an array for each input",
                argument(
                        () ->
                                Preparation.prepare(
                                        graph(),
                                        INT8,
                                        new SingletonDataSetIterator(
                                                new DataSet(null, data().getLabels())))));
    }

    private static MultiLayerNetwork neverCalibrated() {
        LayerQuantizers quantizers =
                LayerQuantizers.of(LayerScheme.INT8.weights(), null)
                        .withInput(new ActivationScheme(LayerScheme.INT8.activations(), true));
        DenseLayer dense = dense();
        dense.setLayerName("dense");
        return Networks.of(
                InputType.feedForward(6),
                new QuantizedLayer(dense, null, null, quantizers),
                output());
    }

    @Test
    void refusesToLowerALayerThatHasSeenNoInput() {
        assertEquals(
                "layer \"dense\" has never seen an input, so its shape is unknown; calibrate the"
                        + " network first",
                state(() -> Lowering.of(neverCalibrated())));
    }

    @Test
    void aLayerWithoutAnInputSaysSo() {
        var layer = neverCalibrated().getLayer(0);
        assertEquals(
                "layer \"dense\" has no input; call setInput first",
                state(
                        () ->
                                layer.activate(
                                        false,
                                        org.deeplearning4j.nn.workspace.LayerWorkspaceMgr
                                                .noWorkspaces())));
    }

    @Test
    void aLayerTakesNoOtherNumberOfParameters() {
        var layer = neverCalibrated().getLayer(0);
        assertEquals(
                "layer \"dense\" has " + layer.numParams() + " parameters, not 3",
                argument(() -> layer.setParams(Nd4j.zeros(3))));
    }

    @Test
    void anInputIsRoundedOnlyOnce() {
        ActivationScheme input = new ActivationScheme(LayerScheme.INT8.activations(), true);
        assertEquals(
                "the input is rounded by layer 'before' already; a second quantizer would round"
                        + " codes",
                argument(
                        () ->
                                new LayerQuantizers(
                                        null, "before", Map.of(TensorRole.INPUT, input))));
    }

    @Test
    void aTableHasCodesOnBothSides() {
        ActivationScheme scheme = new ActivationScheme(LayerScheme.INT8.activations(), true);
        assertEquals(
                "a quantizer before the activation function needs one after it: a table maps"
                        + " codes to codes",
                argument(
                        () ->
                                new LayerQuantizers(
                                        null, null, Map.of(TensorRole.PRE_ACTIVATION, scheme))));
    }

    @Test
    void aRoundedHiddenStateIsTheResult() {
        ActivationScheme scheme = new ActivationScheme(LayerScheme.INT8.activations(), true);
        assertEquals(
                "a layer that gives out its rounded hidden state needs no quantizer of its result:"
                        + " it would round codes",
                argument(
                        () ->
                                new LayerQuantizers(
                                        null,
                                        null,
                                        Map.of(
                                                TensorRole.OUTPUT,
                                                scheme,
                                                TensorRole.HIDDEN,
                                                scheme))));
    }

    @Test
    void theProjectionsOfAnAttentionShareOneScheme() {
        ActivationScheme scheme = new ActivationScheme(LayerScheme.INT8.activations(), true);
        assertEquals(
                "QUERY and KEY share one scheme, but have "
                        + scheme
                        + " and null; give both the same",
                argument(() -> new LayerQuantizers(null, null, Map.of(TensorRole.QUERY, scheme))));
    }

    @Test
    void anActivationHasOneScale() {
        assertEquals(
                "an activation has one scale for the whole tensor, not PER_CHANNEL",
                argument(() -> new ActivationScheme(LayerScheme.INT8.weights(), true)));
    }

    @Test
    void halfPrecisionHasNoCodes() {
        TensorScheme half = LayerScheme.FP16.activations();
        assertEquals(
                new Fp16Format() + " has no codes",
                state(() -> new ActivationScheme(half, true).range()));
    }

    @Test
    void onlyQuantizedLayersAreObserved() {
        var layer = network().getLayer(0);
        assertEquals(
                "DenseLayer is not a quantized layer; QuantizedLayers.configuration tells",
                argument(() -> QuantizedLayers.observe(layer, null)));
        assertEquals(
                "DenseLayer is not a quantized layer; QuantizedLayers.configuration tells",
                argument(() -> QuantizedLayers.addToNextGradient(layer, Nd4j.zeros(1))));
    }

    @Test
    void onlyOutputLayersHaveALoss() {
        var layer = network().getLayer(0);
        assertEquals(
                "DenseLayer has no loss function",
                argument(
                        () ->
                                QuantizedLayers.setLoss(
                                        layer, LossFunctions.LossFunction.MSE.getILossFunction())));
    }

    @Test
    void aSumVertexOnlyAdds() {
        QuantizedAddVertex vertex = new QuantizedAddVertex("a", "b", "c");
        vertex.setOp(org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op.Product);
        assertEquals(
                "vertex 'sum' is of kind Product, not Add",
                argument(
                        () ->
                                vertex.instantiate(
                                        graph(),
                                        "sum",
                                        0,
                                        Nd4j.empty(),
                                        false,
                                        org.nd4j.linalg.api.buffer.DataType.FLOAT)));
    }

    @Test
    void aQuantizedOutputLayerTrainsOnlyInItsNetwork() {
        MultiLayerNetwork prepared = Preparation.prepare(network(), INT8, batches()).network();
        var last = (org.deeplearning4j.nn.api.layers.IOutputLayer) prepared.getLayer(1);
        assertEquals(
                "layer \"layer1\" trains as part of its network; call the network's fit",
                assertThrows(UnsupportedOperationException.class, () -> last.fit(data()))
                        .getMessage());
    }
}
