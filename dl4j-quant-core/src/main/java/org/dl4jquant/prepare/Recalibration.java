// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Fits the scales of a prepared network again, in place, by the calibration methods of its layers'
 * schemes: after its weights have moved without their scales, or its precision has changed. Tensors
 * that are not rounded to integers at the precision in force are left out.
 */
public final class Recalibration {

    private Recalibration() {}

    /**
     * Fits the scales of the weights; those of the activations stay.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if a weight is NaN or infinite; the message names the layer
     */
    public static void ofWeights(MultiLayerNetwork network) {
        new ScaleFitting(network.getLayers()).fitWeights();
    }

    /**
     * Fits the scales of the weights; those of the activations stay.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if a weight is NaN or infinite; the message names the layer
     */
    public static void ofWeights(ComputationGraph network) {
        new ScaleFitting(network.getLayers()).fitWeights();
    }

    /**
     * Fits all scales.
     *
     * @param network a network from {@code prepare}
     * @param data a few hundred examples like those it is trained on; labels are not used
     * @throws IllegalArgumentException if the data do not fit the network, or values are NaN or
     *     infinite; the message names the layer
     */
    public static void of(MultiLayerNetwork network, DataSetIterator data) {
        new ScaleFitting(network.getLayers())
                .run(CalibrationData.of(data), batch -> Preparation.run(network, batch));
    }

    /**
     * Fits all scales.
     *
     * @param network a network from {@code prepare}, of one input
     * @param data a few hundred examples like those it is trained on; labels are not used
     * @throws IllegalArgumentException if the data do not fit the network, or values are NaN or
     *     infinite; the message names the layer
     */
    public static void of(ComputationGraph network, DataSetIterator data) {
        of(network, CalibrationData.of(data));
    }

    /**
     * Fits all scales.
     *
     * @param network a network from {@code prepare}
     * @param data a few hundred examples like those it is trained on, resettable; labels are not
     *     used
     * @throws IllegalArgumentException if the data do not fit the network, or values are NaN or
     *     infinite; the message names the layer
     */
    public static void of(ComputationGraph network, MultiDataSetIterator data) {
        of(network, CalibrationData.of(data));
    }

    private static void of(ComputationGraph network, CalibrationData data) {
        new ScaleFitting(network.getLayers()).run(data, batch -> Preparation.run(network, batch));
    }
}
