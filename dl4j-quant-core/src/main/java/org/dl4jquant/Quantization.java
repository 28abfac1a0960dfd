// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.lower.Lowering;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.lower.LoweringOptions;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.prepare.PreparedNetwork;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a trained DL4J network to integers.
 *
 * <pre>{@code
 * MultiLayerNetwork quantized = Quantization.prepare(trained, spec, calibrationData);
 * quantized.fit(trainData, epochs);
 * IntGraph graph = Quantization.lower(quantized);
 * }</pre>
 */
public final class Quantization {

    private static final Logger LOG = LoggerFactory.getLogger(Quantization.class);

    private Quantization() {}

    /**
     * Returns a copy of a network that trains and computes with rounding, and logs the outcome for
     * each layer. {@link Preparation} returns the same with its report.
     *
     * @param trained a trained network of float32 parameters; only read
     * @param spec which layer gets which scheme
     * @param calibrationData some hundreds of examples as for {@code fit}; labels are ignored
     * @return a plain DL4J network; its updater starts afresh
     * @throws IllegalArgumentException as {@link Preparation#prepare(MultiLayerNetwork, QuantSpec,
     *     DataSetIterator)}
     */
    public static MultiLayerNetwork prepare(
            MultiLayerNetwork trained, QuantSpec spec, DataSetIterator calibrationData) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(calibrationData, "calibrationData");
        return reported(Preparation.prepare(trained, spec, calibrationData));
    }

    /**
     * Returns a copy of a network that trains and computes with rounding, and logs the outcome for
     * each layer. {@link Preparation} returns the same with its report.
     *
     * @param trained a trained network of float32 parameters; only read
     * @param spec which layer gets which scheme
     * @param calibrationData some hundreds of examples as for {@code fit}; labels are ignored
     * @return a plain DL4J network; its updater starts afresh
     * @throws IllegalArgumentException as {@link Preparation#prepare(ComputationGraph, QuantSpec,
     *     DataSetIterator)}
     */
    public static ComputationGraph prepare(
            ComputationGraph trained, QuantSpec spec, DataSetIterator calibrationData) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(calibrationData, "calibrationData");
        return reported(Preparation.prepare(trained, spec, calibrationData));
    }

    /**
     * Returns a copy of a network that trains and computes with rounding, and logs the outcome for
     * each layer. {@link Preparation} returns the same with its report.
     *
     * @param trained a trained network of float32 parameters, with any number of inputs; only read
     * @param spec which layer gets which scheme
     * @param calibrationData some hundreds of examples as for {@code fit}; labels are ignored
     * @return a plain DL4J network; its updater starts afresh
     * @throws IllegalArgumentException as {@link Preparation#prepare(ComputationGraph, QuantSpec,
     *     DataSetIterator)}
     */
    public static ComputationGraph prepare(
            ComputationGraph trained, QuantSpec spec, MultiDataSetIterator calibrationData) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(calibrationData, "calibrationData");
        return reported(Preparation.prepare(trained, spec, calibrationData));
    }

    /**
     * Returns a copy of a network that trains and computes with rounding, without calibration data:
     * for activations whose scales are found at run time, as with {@link
     * org.dl4jquant.scheme.LayerScheme#INT8_DYNAMIC}.
     *
     * @param trained a trained network of float32 parameters; only read
     * @param spec which layer gets which scheme
     * @return a plain DL4J network; its updater starts afresh
     * @throws IllegalArgumentException as {@link Preparation#prepare(MultiLayerNetwork, QuantSpec)}
     */
    public static MultiLayerNetwork prepare(MultiLayerNetwork trained, QuantSpec spec) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        return reported(Preparation.prepare(trained, spec));
    }

    /**
     * Returns a copy of a network that trains and computes with rounding, without calibration data,
     * as {@link #prepare(MultiLayerNetwork, QuantSpec)}.
     *
     * @param trained a trained network of float32 parameters; only read
     * @param spec which layer gets which scheme
     * @return a plain DL4J network; its updater starts afresh
     * @throws IllegalArgumentException as {@link Preparation#prepare(ComputationGraph, QuantSpec)}
     */
    public static ComputationGraph prepare(ComputationGraph trained, QuantSpec spec) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        return reported(Preparation.prepare(trained, spec));
    }

    private static <N> N reported(PreparedNetwork<N> prepared) {
        LOG.info(
                "Prepared for quantization-aware training:{}{}",
                System.lineSeparator(),
                prepared.report());
        return prepared.network();
    }

    /**
     * Returns the integer graph of a quantized network: what it computes in inference mode, code
     * for code, the last layer's function included: an engine returns what {@code output} returns.
     *
     * @param quantized a network from {@code prepare}, trained or not; only read
     * @return the graph
     * @throws LoweringException if a layer has no integer form; the message names it and a remedy
     */
    public static IntGraph lower(MultiLayerNetwork quantized) {
        Require.given(quantized, "quantized");
        return Lowering.of(quantized);
    }

    /**
     * Returns the integer graph of a quantized network: what it computes in inference mode, code
     * for code, the last layer's function included: an engine returns what {@code output} returns.
     *
     * @param quantized a network from {@code prepare}, trained or not; only read
     * @return the graph
     * @throws LoweringException if a layer has no integer form; the message names it and a remedy
     */
    public static IntGraph lower(ComputationGraph quantized) {
        Require.given(quantized, "quantized");
        return Lowering.of(quantized);
    }

    /**
     * Returns the integer graph of a quantized network with further inputs, such as the masks of
     * sequences.
     *
     * @param quantized a network from {@code prepare}, trained or not; only read
     * @param options the inputs that the graph takes besides the network's inputs
     * @return the graph
     * @throws LoweringException if a layer has no integer form, or cannot obey the options; the
     *     message names it and a remedy
     */
    public static IntGraph lower(MultiLayerNetwork quantized, LoweringOptions options) {
        Require.given(quantized, "quantized");
        return Lowering.of(quantized, options);
    }

    /**
     * Returns the integer graph of a quantized network with further inputs, such as the masks of
     * sequences.
     *
     * @param quantized a network from {@code prepare}, trained or not; only read
     * @param options the inputs that the graph takes besides the network's inputs
     * @return the graph
     * @throws LoweringException if a layer has no integer form, or cannot obey the options; the
     *     message names it and a remedy
     */
    public static IntGraph lower(ComputationGraph quantized, LoweringOptions options) {
        Require.given(quantized, "quantized");
        return Lowering.of(quantized, options);
    }
}
