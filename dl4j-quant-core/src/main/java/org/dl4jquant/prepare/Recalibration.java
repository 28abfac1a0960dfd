// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.network.NetworkView;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fits the scales of a prepared network again, in place, by the calibration methods of its layers'
 * schemes: after its weights have moved without their scales, or its precision has changed. Tensors
 * that are not rounded to integers at the precision in force are left out. The first {@value
 * Preparation#CALIBRATION_EXAMPLES} examples of the data are read.
 */
public final class Recalibration {

    private static final Logger LOG = LoggerFactory.getLogger(Recalibration.class);

    private Recalibration() {}

    /**
     * Fits the scales of the weights; those of the activations stay.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if a weight is NaN or infinite; the message names the layer
     */
    public static void ofWeights(MultiLayerNetwork network) {
        Require.given(network, "network");
        new ScaleFitting(NetworkView.of(network).layers()).fitWeights();
    }

    /**
     * Fits the scales of the weights; those of the activations stay.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if a weight is NaN or infinite; the message names the layer
     */
    public static void ofWeights(ComputationGraph network) {
        Require.given(network, "network");
        new ScaleFitting(NetworkView.of(network).layers()).fitWeights();
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
        Require.given(network, "network");
        Require.given(data, "data");
        of(NetworkView.of(network), limited(data));
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
        Require.given(network, "network");
        Require.given(data, "data");
        of(NetworkView.of(network), limited(data));
    }

    /**
     * Fits all scales.
     *
     * @param network a network from {@code prepare}
     * @param data a few hundred examples like those it is trained on; labels are not used
     * @throws IllegalArgumentException if the data do not fit the network, or values are NaN or
     *     infinite; the message names the layer
     */
    public static void of(ComputationGraph network, MultiDataSetIterator data) {
        Require.given(network, "network");
        Require.given(data, "data");
        of(NetworkView.of(network), limited(data));
    }

    /**
     * Fits the scales of the layers that no data have calibrated yet, such as those that {@link
     * LayerSizes} changed; all other layers keep theirs.
     *
     * @param network a network with quantized layers
     * @param data a few hundred examples like those it is trained on; labels are not used
     * @throws IllegalArgumentException if the data do not fit the network, or values are NaN or
     *     infinite; the message names the layer
     */
    public static void ofUncalibrated(MultiLayerNetwork network, DataSetIterator data) {
        Require.given(network, "network");
        Require.given(data, "data");
        ofUncalibrated(NetworkView.of(network), limited(data));
    }

    /**
     * Fits the scales of the layers that no data have calibrated yet, such as those that {@link
     * LayerSizes} changed; all other layers keep theirs.
     *
     * @param network a network with quantized layers, of one input
     * @param data a few hundred examples like those it is trained on; labels are not used
     * @throws IllegalArgumentException if the data do not fit the network, or values are NaN or
     *     infinite; the message names the layer
     */
    public static void ofUncalibrated(ComputationGraph network, DataSetIterator data) {
        Require.given(network, "network");
        Require.given(data, "data");
        ofUncalibrated(NetworkView.of(network), limited(data));
    }

    /**
     * Fits the scales of the layers that no data have calibrated yet, such as those that {@link
     * LayerSizes} changed; all other layers keep theirs.
     *
     * @param network a network with quantized layers
     * @param data a few hundred examples like those it is trained on; labels are not used
     * @throws IllegalArgumentException if the data do not fit the network, or values are NaN or
     *     infinite; the message names the layer
     */
    public static void ofUncalibrated(ComputationGraph network, MultiDataSetIterator data) {
        Require.given(network, "network");
        Require.given(data, "data");
        ofUncalibrated(NetworkView.of(network), limited(data));
    }

    /** {@return whether data have calibrated a layer, or it has nothing to calibrate} */
    static boolean isCalibrated(Layer layer) {
        return QuantizedLayers.configuration(layer)
                .map(conf -> conf.inputShape() != null)
                .orElse(true);
    }

    private static void ofUncalibrated(NetworkView<?> network, CalibrationData data) {
        ScaleFitting fitting = new ScaleFitting(network.layers(), Recalibration::isCalibrated);
        log(fitting.run(data, batch -> Preparation.run(network, batch)));
    }

    private static void of(NetworkView<?> network, CalibrationData data) {
        log(new ScaleFitting(network.layers()).run(data, batch -> Preparation.run(network, batch)));
    }

    private static CalibrationData limited(DataSetIterator data) {
        return CalibrationData.of(data, Preparation.CALIBRATION_EXAMPLES);
    }

    private static CalibrationData limited(MultiDataSetIterator data) {
        return CalibrationData.of(data, Preparation.CALIBRATION_EXAMPLES);
    }

    private static void log(List<String> warnings) {
        warnings.forEach(LOG::warn);
    }
}
