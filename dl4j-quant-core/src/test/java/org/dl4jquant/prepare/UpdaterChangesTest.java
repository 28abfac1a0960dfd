// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.layer.Updaters;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.nd4j.linalg.schedule.StepSchedule;

/** The learning rate and the updater of a network that trains already can be changed. */
class UpdaterChangesTest {

    private static final double OLD = 0.01;
    private static final double NEW = 0.002;

    static List<IUpdater> updaters() {
        return List.of(
                new Sgd(OLD),
                new Nesterovs(OLD, 0.9),
                new Adam(OLD),
                new AMSGrad(OLD),
                new RmsProp(OLD));
    }

    private static DataSet data() {
        return Networks.data(24, 6);
    }

    private static MultiLayerNetwork plain(IUpdater updater) {
        return plain(updater, false);
    }

    /**
     * The first and the last layer have rates of their own, so there are three updater blocks.
     *
     * @param updater the kind
     * @param scheduled whether a schedule sets the new rate after the first iteration
     */
    private static MultiLayerNetwork plain(IUpdater updater, boolean scheduled) {
        return Networks.of(
                withRate(updater, OLD, scheduled),
                InputType.feedForward(6),
                new DenseLayer.Builder()
                        .name("first")
                        .nOut(8)
                        .activation(Activation.TANH)
                        .updater(withRate(updater, OLD / 2, scheduled))
                        .build(),
                new DenseLayer.Builder().name("second").nOut(7).activation(Activation.TANH).build(),
                new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                        .name("last")
                        .nOut(Networks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .updater(withRate(updater, OLD / 3, scheduled))
                        .build());
    }

    private static IUpdater withRate(IUpdater updater, double rate, boolean scheduled) {
        IUpdater copy = updater.clone();
        if (scheduled) {
            copy.setLrAndSchedule(
                    Double.NaN, new MapSchedule(ScheduleType.ITERATION, Map.of(0, rate, 1, NEW)));
        } else {
            copy.setLrAndSchedule(rate, null);
        }
        return copy;
    }

    private static MultiLayerNetwork prepared(MultiLayerNetwork network) {
        return prepared(network, data());
    }

    private static MultiLayerNetwork prepared(MultiLayerNetwork network, DataSet data) {
        return Preparation.prepare(network, QuantSpec.of(LayerScheme.INT8), Networks.batches(data))
                .network();
    }

    private static double rate(Layer layer, String parameter) {
        return layer.getConfig().getUpdaterByParam(parameter).getLearningRate(0, 0);
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void changesNetworksWithoutQuantizersAsDl4jDoes(IUpdater updater) {
        MultiLayerNetwork ours = plain(updater);
        MultiLayerNetwork theirs = plain(updater);
        ours.fit(data());
        theirs.fit(data());
        Updaters.setLearningRate(ours, NEW);
        theirs.setLearningRate(NEW);
        ours.fit(data());
        theirs.fit(data());
        assertEquals(theirs.params(), ours.params());
        assertEquals(
                theirs.getUpdater().getStateViewArray(), ours.getUpdater().getStateViewArray());
        assertEquals(theirs.getLayerWiseConfigurations(), ours.getLayerWiseConfigurations());
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void aQuantizedNetworkTrainsOnAsIfItsScheduleHadSaidSo(IUpdater updater) {
        MultiLayerNetwork changed = prepared(plain(updater, false));
        MultiLayerNetwork scheduled = prepared(plain(updater, true));
        changed.fit(data());
        scheduled.fit(data());
        assertEquals(scheduled.params(), changed.params());
        Updaters.setLearningRate(changed, NEW);
        assertEquals(NEW, rate(changed.getLayer(0), "W"));
        assertEquals(NEW, rate(changed.getLayer(1), "scaleW"));
        for (int i = 0; i < 2; i++) {
            changed.fit(data());
            scheduled.fit(data());
        }
        assertEquals(scheduled.params(), changed.params());
    }

    @Test
    void aRateOfNothingStopsWeightsScalesAndNormalization() {
        DataSet images = Networks.data(24, 2, 6, 6);
        MultiLayerNetwork network =
                prepared(
                        Networks.of(
                                new Sgd(OLD),
                                InputType.convolutional(6, 6, 2),
                                new ConvolutionLayer.Builder(3, 3)
                                        .nOut(4)
                                        .activation(Activation.IDENTITY)
                                        .build(),
                                new BatchNormalization.Builder().build(),
                                new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.AVG)
                                        .kernelSize(2, 2)
                                        .stride(2, 2)
                                        .build(),
                                new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                                        .nOut(Networks.CLASSES)
                                        .activation(Activation.SOFTMAX)
                                        .build()),
                        images);
        Updaters.setLearningRate(network, 0);
        var before = network.paramTable();
        before.replaceAll((key, values) -> values.dup());
        assertTrue(before.containsKey("1_scaleOut"), "the pool rounds, and has no weights");
        network.fit(images);
        network.paramTable()
                .forEach(
                        (key, values) -> {
                            if (key.endsWith("mean") || key.endsWith("log10stdev")) {
                                assertNotEquals(before.get(key), values, key);
                            } else {
                                assertEquals(before.get(key), values, key);
                            }
                        });
    }

    @Test
    void theRateIsInTheModelFile() throws IOException {
        MultiLayerNetwork network = prepared(plain(new Adam(OLD)));
        network.fit(data());
        Updaters.setLearningRate(network, NEW);
        network.fit(data());
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        ModelSerializer.writeModel(network, file, true);
        MultiLayerNetwork restored =
                ModelSerializer.restoreMultiLayerNetwork(
                        new ByteArrayInputStream(file.toByteArray()), true);
        assertEquals(NEW, rate(restored.getLayer(0), "W"));
        network.fit(data());
        restored.fit(data());
        assertEquals(network.params(), restored.params());
    }

    @Test
    void aGraphFollowsAScheduleAsIfBuiltWithIt() {
        StepSchedule schedule = new StepSchedule(ScheduleType.ITERATION, OLD, 0.5, 1);
        ComputationGraph built = prepared(plain(new Nesterovs(OLD, 0.9))).toComputationGraph();
        ComputationGraph changed = built.clone();
        MultiLayerNetwork sequence = prepared(plain(new Nesterovs(OLD, 0.9)));
        Updaters.setLearningRate(changed, schedule);
        Updaters.setLearningRate(sequence, schedule);
        assertEquals(OLD / 4, scheduled(changed.getLayer(0), 2));
        for (int i = 0; i < 3; i++) {
            changed.fit(data());
            sequence.fit(data());
            built.fit(data());
        }
        assertEquals(sequence.params(), changed.params());
        assertNotEquals(built.params(), changed.params());
        Updaters.setLearningRate(changed, NEW);
        assertEquals(NEW, scheduled(changed.getLayer(0), 2));
    }

    private static double scheduled(Layer layer, int iteration) {
        return layer.getConfig().getUpdaterByParam("W").getLearningRate(iteration, 0);
    }

    @Test
    void reachesLayersInsideWrappersAndThoseThatDl4jDefinesAsGraphs() {
        MultiLayerNetwork network =
                Preparation.prepare(
                                Networks.of(
                                        new Adam(OLD),
                                        InputType.recurrent(4, 5),
                                        new Bidirectional(new LSTM.Builder().nOut(4).build()),
                                        new SelfAttentionLayer.Builder()
                                                .nOut(4)
                                                .nHeads(2)
                                                .projectInput(true)
                                                .build(),
                                        new GlobalPoolingLayer(),
                                        new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                                                .name("last")
                                                .nOut(Networks.CLASSES)
                                                .activation(Activation.SOFTMAX)
                                                .build()),
                                QuantSpec.of(LayerScheme.INT8)
                                        .with(LayerSelector.named("last"), LayerScheme.FLOAT),
                                Networks.batches(Networks.data(12, 4, 5)))
                        .network();
        Updaters.setLearningRate(network, NEW);
        assertEquals(NEW, rate(network.getLayer(0), "fW"));
        assertEquals(NEW, rate(network.getLayer(0), "bRW"));
        assertEquals(NEW, rate(network.getLayer(0), "scalebW"));
        assertEquals(NEW, rate(network.getLayer(1), "Wq"));
        assertEquals(NEW, rate(network.getLayer(3), "W"));
        network.fit(Networks.data(12, 4, 5));
    }

    @Test
    void frozenLayersKeepTheirs() {
        MultiLayerNetwork network =
                new TransferLearning.Builder(prepared(plain(new Sgd(OLD))))
                        .setFeatureExtractor(0)
                        .build();
        Updaters.setLearningRate(network, NEW);
        Updaters.replace(network, new Adam(NEW));
        var frozen =
                (org.deeplearning4j.nn.conf.layers.misc.FrozenLayer)
                        network.getLayerWiseConfigurations().getConf(0).getLayer();
        assertEquals(OLD / 2, frozen.getLayer().getUpdaterByParam("W").getLearningRate(0, 0));
        assertEquals(new Adam(NEW), network.getLayer(1).getConfig().getUpdaterByParam("W"));
    }

    @Test
    void aReplacedUpdaterTrainsAsOneThatWasThereFromTheStart() {
        MultiLayerNetwork replaced = prepared(plain(new Sgd(OLD)));
        MultiLayerNetwork built =
                prepared(
                        Networks.of(
                                new Adam(NEW),
                                InputType.feedForward(6),
                                plain(new Sgd(OLD)).getLayerWiseConfigurations().getConfs().stream()
                                        .map(NeuralNetConfiguration::getLayer)
                                        .map(UpdaterChangesTest::withAdam)
                                        .toArray(org.deeplearning4j.nn.conf.layers.Layer[]::new)));
        Updaters.replace(replaced, new Adam(NEW));
        assertEquals(built.params(), replaced.params());
        for (int i = 0; i < 3; i++) {
            built.fit(data());
            replaced.fit(data());
        }
        assertEquals(built.params(), replaced.params());
        ComputationGraph graph = prepared(plain(new Sgd(OLD))).toComputationGraph();
        Updaters.replace(graph, new Adam(NEW));
        for (int i = 0; i < 3; i++) {
            graph.fit(data());
        }
        assertEquals(built.params(), graph.params());
    }

    private static org.deeplearning4j.nn.conf.layers.Layer withAdam(
            org.deeplearning4j.nn.conf.layers.Layer layer) {
        ((org.deeplearning4j.nn.conf.layers.BaseLayer) layer).setIUpdater(new Adam(NEW));
        return layer;
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1, Double.NaN, Double.POSITIVE_INFINITY})
    void refusesARateThatIsNone(double rate) {
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Updaters.setLearningRate(plain(new Sgd(OLD)), rate))
                        .getMessage();
        assertEquals(
                "learning rate " + rate + "; it must be a number that is not negative", message);
    }

    @Test
    void refusesANetworkWithoutParameters() {
        MultiLayerNetwork raw =
                new MultiLayerNetwork(plain(new Sgd(OLD)).getLayerWiseConfigurations());
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Updaters.setLearningRate(raw, NEW))
                        .getMessage();
        assertEquals("the network has no parameters yet; call init() first", message);
    }
}
