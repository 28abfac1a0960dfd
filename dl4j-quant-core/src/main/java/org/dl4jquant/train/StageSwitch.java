// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.prepare.Recalibration;
import org.dl4jquant.scheme.Precision;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** The steps that take a network from one stage of a {@link PrecisionSchedule} to the next. */
final class StageSwitch {

    private StageSwitch() {}

    /** {@return whether a network computes with integers at the precision in force} */
    static boolean trainsIntegers(TrainedNetwork network) {
        Precision precision = network.quantized().get(0).conf().precision();
        return precision == null || precision.isInteger();
    }

    /**
     * Gives all layers of a network the precision of a stage, and a fresh memory to the updaters of
     * scales.
     */
    static void set(TrainedNetwork network, Stage stage) {
        for (TrainedNetwork.Quantized quantized : network.quantized()) {
            QuantizedLayers.setPrecision(quantized.layer(), stage.precision());
            quantized.conf().setFrozenScales(stage.frozenScales());
        }
        network.resetScaleMoments();
    }

    /** Fits the scales of the weights again. */
    static void refitWeights(Model model) {
        if (model instanceof ComputationGraph graph) {
            Recalibration.ofWeights(graph);
        } else {
            Recalibration.ofWeights((MultiLayerNetwork) model);
        }
    }

    /** Fits all scales again, from data whose labels are not used. */
    static void refit(Model model, DataSetIterator data) {
        if (model instanceof ComputationGraph graph) {
            Recalibration.of(graph, data);
        } else {
            Recalibration.of((MultiLayerNetwork) model, data);
        }
    }
}
