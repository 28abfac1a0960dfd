// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Latency;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.lower.Lowering;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.QuantSpec;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Prepares a classifier with the candidate's spec, trains it for some epochs, and measures its
 * accuracy.
 *
 * <p>Size and time are known before training: a candidate over a limit is not trained. The network
 * travels as its model file, so that trials run in other processes, too.
 */
public final class QatTrial implements Trial {

    private static final long serialVersionUID = 1;

    private static final double NANOS_PER_SECOND = 1e9;

    private final byte[] network;
    private final String fingerprint;
    private final boolean isGraph;
    private final TrialData data;
    private final int epochs;
    private final @Nullable String engine;

    private QatTrial(
            byte[] network,
            String fingerprint,
            boolean isGraph,
            TrialData data,
            int epochs,
            @Nullable String engine) {
        Require.argument(epochs >= 0, "training for %d epochs", epochs);
        this.network = network;
        this.fingerprint = fingerprint;
        this.isGraph = isGraph;
        this.data = data;
        this.epochs = epochs;
        this.engine = engine;
    }

    /**
     * {@return a trial of candidates for a network}
     *
     * @param trained the float network, a classifier of one output; only read
     * @param data the data to train and measure with
     * @param epochs how long each candidate trains; 0 measures them as they are calibrated
     */
    public static QatTrial of(MultiLayerNetwork trained, TrialData data, int epochs) {
        Require.given(trained, "trained");
        Require.given(data, "data");
        return new QatTrial(
                file(trained), fingerprint(NetworkView.of(trained)), false, data, epochs, null);
    }

    /**
     * {@return a trial of candidates for a network}
     *
     * @param trained the float network, a classifier of one input and one output; only read
     * @param data the data to train and measure with
     * @param epochs how long each candidate trains; 0 measures them as they are calibrated
     */
    public static QatTrial of(ComputationGraph trained, TrialData data, int epochs) {
        Require.given(trained, "trained");
        Require.given(data, "data");
        return new QatTrial(
                file(trained), fingerprint(NetworkView.of(trained)), true, data, epochs, null);
    }

    /**
     * {@return this trial with the time of one inference measured, the median of 21}
     *
     * @param engine the engine's name, such as {@code onnxruntime}
     */
    public QatTrial withTimeOf(String engine) {
        return new QatTrial(network, fingerprint, isGraph, data, epochs, engine);
    }

    private static byte[] file(Model model) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try {
            ModelSerializer.writeModel(model, file, true);
        } catch (IOException e) {
            throw new IllegalStateException("cannot write the network to memory", e);
        }
        return file.toByteArray();
    }

    @Override
    public Finished run(QuantSpec spec, Limits limits) throws IOException {
        long start = System.nanoTime();
        NetworkView<?> candidate = prepared(spec);
        long bytes = bytes(candidate.layers());
        double milliseconds =
                engine == null ? Double.NaN : Latency.millis(engine, Lowering.of(candidate));
        if (limits.excess(bytes, milliseconds) > 1) {
            return new Finished(over(limits, bytes, milliseconds, seconds(start)), new byte[0]);
        }
        if (epochs > 0) {
            candidate.fit(data.train(), epochs);
        }
        Require.state(
                epochs == 0 || Double.isFinite(candidate.network().score()),
                "its training diverged: the last loss is %s",
                candidate.network().score());
        double accuracy = candidate.evaluate(data.validation()).accuracy();
        Outcome outcome =
                new Outcome(
                        Outcome.Status.MEASURED, accuracy, bytes, milliseconds, seconds(start), "");
        return new Finished(outcome, file(candidate.network()));
    }

    private static Outcome over(Limits limits, long bytes, double milliseconds, double seconds) {
        String reason =
                bytes > limits.bytes()
                        ? String.format(
                                Locale.ROOT,
                                "%,d bytes, and %,d are allowed",
                                bytes,
                                limits.bytes())
                        : String.format(
                                Locale.ROOT,
                                "%.3f ms, and %.3f are allowed",
                                milliseconds,
                                limits.milliseconds());
        return new Outcome(
                Outcome.Status.OVER_LIMIT, Double.NaN, bytes, milliseconds, seconds, reason);
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / NANOS_PER_SECOND;
    }

    private NetworkView<?> prepared(QuantSpec spec) throws IOException {
        ByteArrayInputStream file = new ByteArrayInputStream(network);
        NetworkView<?> trained =
                isGraph
                        ? NetworkView.of(ModelSerializer.restoreComputationGraph(file, true))
                        : NetworkView.of(ModelSerializer.restoreMultiLayerNetwork(file, true));
        return NetworkView.ofModel(
                Preparation.prepare(trained, spec, data.calibration()).network());
    }

    /* Quantized weights at their widths, scales of weights and everything else in float32. */
    private static long bytes(List<Layer> layers) {
        long bits = 0;
        for (Layer layer : layers) {
            for (INDArray parameter : layer.paramTable().values()) {
                bits += parameter.length() * Float.SIZE;
            }
            for (QuantizedTensor tensor : QuantizedLayers.tensors(layer)) {
                QuantizedTensor.Grid grid = tensor.grid();
                if (tensor.weight()) {
                    int width = grid == null ? Short.SIZE : width(grid);
                    bits += tensor.values().length() * (width - Float.SIZE);
                }
            }
        }
        return (bits + Byte.SIZE - 1) / Byte.SIZE;
    }

    private static int width(QuantizedTensor.Grid grid) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(grid.range().max() - grid.range().min());
    }

    @Override
    public String description() {
        return String.format(
                Locale.ROOT,
                "network %s, data %s, %d epochs, time of %s",
                fingerprint,
                data.description(),
                epochs,
                engine == null ? "no engine" : engine);
    }

    /* Model files hold the time at which they were written: what counts is what is in them. */
    private static String fingerprint(NetworkView<?> of) {
        float[] parameters = RowMajor.floats(of.network().params());
        ByteBuffer bytes = ByteBuffer.allocate(parameters.length * Float.BYTES);
        bytes.asFloatBuffer().put(parameters);
        MessageDigest digest = Checksum.sha256();
        digest.update(of.json().getBytes(StandardCharsets.UTF_8));
        digest.update(bytes);
        return HexFormat.of().formatHex(digest.digest()).substring(0, 16);
    }
}
