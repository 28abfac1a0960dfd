// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.core.storage.Persistable;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.ui.model.stats.StatsListener;
import org.deeplearning4j.ui.model.stats.api.StatsReport;
import org.deeplearning4j.ui.model.stats.api.StatsType;
import org.deeplearning4j.ui.model.stats.impl.SbeStatsReport;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class StatisticsRouterTest {

    private static DataSet data() {
        return Networks.data(24, 6);
    }

    private static MultiLayerNetwork network() {
        MultiLayerNetwork floats =
                Networks.of(
                        InputType.feedForward(6),
                        new DenseLayer.Builder().nOut(4).activation(Activation.RELU).build(),
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build());
        return Preparation.prepare(floats, QuantSpec.of(LayerScheme.INT4), Networks.batches(data()))
                .network();
    }

    private static List<StatsReport> reports(InMemoryStatsStorage storage) {
        List<StatsReport> reports = new ArrayList<>();
        for (String session : storage.listSessionIDs()) {
            for (Persistable update :
                    storage.getAllUpdatesAfter(session, StatsListener.TYPE_ID, 0)) {
                reports.add((StatsReport) update);
            }
        }
        return reports;
    }

    @Test
    void addsTheFiguresToEachReportOfTheTrainingUi() {
        List<List<QuantizerStatistics>> measured = new ArrayList<>();
        InMemoryStatsStorage storage = new InMemoryStatsStorage();
        StatisticsRouter router = new StatisticsRouter(storage);
        MultiLayerNetwork network = network();
        // The order of the listeners does not matter.
        network.setListeners(
                new StatsListener(router, 1), QuantizerListener.every(2, router, measured::add));
        network.fit(Networks.batches(data()), 1);

        List<StatsReport> reports = reports(storage);
        assertEquals(3, reports.size());
        for (StatsReport report : reports) {
            List<QuantizerStatistics> expected = measured.get(report.getIterationCount() / 2);
            for (StatsType type : List.of(StatsType.Parameters, StatsType.Updates)) {
                Map<String, Double> magnitudes = report.getMeanMagnitudes(type);
                assertTrue(magnitudes.containsKey("0_W"), "DL4J's own figures are gone");
                for (QuantizerStatistics one : expected) {
                    String name = one.parameters() + "_" + one.tensor();
                    assertEquals(one.saturation(), magnitudes.get(name + " saturation"));
                    assertEquals(one.sqnr(), magnitudes.get(name + " SQNR dB"));
                    assertEquals(one.smallestScale(), magnitudes.get(name + " smallest scale"));
                    assertEquals(one.largestScale(), magnitudes.get(name + " largest scale"));
                    assertEquals(one.gradientRatio(), magnitudes.get(name + " gradient ratio"));
                }
            }
        }
    }

    @Test
    void namesFiguresSoThatTheUiFindsTheirLayer() {
        InMemoryStatsStorage storage = new InMemoryStatsStorage();
        StatisticsRouter router = new StatisticsRouter(storage);
        MultiLayerNetwork network = network();
        network.setListeners(QuantizerListener.every(1, router), new StatsListener(router, 1));
        network.fit(data());
        // The UI's model page shows under layer 1 what begins with its index and an underscore.
        List<String> added = new ArrayList<>();
        for (String name :
                reports(storage).get(0).getMeanMagnitudes(StatsType.Parameters).keySet()) {
            if (name.startsWith("1_") && name.contains(" ")) {
                added.add(name);
            }
        }
        assertEquals(
                List.of(
                        "1_W saturation",
                        "1_W SQNR dB",
                        "1_W smallest scale",
                        "1_W largest scale",
                        "1_W gradient ratio"),
                added);
    }

    @Test
    void keepsTheFiguresInTheFormatOfDl4jsFiles() {
        InMemoryStatsStorage storage = new InMemoryStatsStorage();
        StatisticsRouter router = new StatisticsRouter(storage);
        MultiLayerNetwork network = network();
        network.setListeners(QuantizerListener.every(1, router), new StatsListener(router, 1));
        network.fit(data());
        StatsReport report = reports(storage).get(0);
        StatsReport read = new SbeStatsReport();
        read.decode(report.encode());
        assertFalse(read.getMeanMagnitudes(StatsType.Parameters).isEmpty());
        assertEquals(
                report.getMeanMagnitudes(StatsType.Parameters),
                read.getMeanMagnitudes(StatsType.Parameters));
    }
}
