// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.calibrate.Calibration;
import org.dl4jquant.calibrate.TensorStatistics;
import org.dl4jquant.check.Require;
import org.dl4jquant.fakequant.TanhWeights;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.nd.ChannelWalk;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.nd.Walk;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.TensorScheme;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Finds the scales of a prepared network: of its weights, and of what it computes from data. */
final class ScaleFitting {

    private record Observed(
            Layer layer,
            QuantizedLayer conf,
            Map<TensorRole, TensorStatistics> tensors,
            Map<TensorRole, Outliers> outliers) {}

    private final List<Observed> layers = new ArrayList<>();
    private final List<Layer> kept = new ArrayList<>();
    private int firstExample;
    private int examples;

    /**
     * Collects the quantized layers of a network.
     *
     * @param all all its layers
     */
    ScaleFitting(Collection<Layer> all) {
        this(all, layer -> false);
    }

    /**
     * Collects the quantized layers of a network.
     *
     * @param all all its layers
     * @param keeps whether a layer keeps its scales; it then computes in float, too, while those of
     *     the others are fitted
     */
    ScaleFitting(Collection<Layer> all, Predicate<Layer> keeps) {
        for (Layer layer : all) {
            QuantizedLayers.configuration(layer).ifPresent(conf -> add(layer, conf, keeps));
        }
    }

    private void add(Layer layer, QuantizedLayer conf, Predicate<Layer> keeps) {
        if (keeps.test(layer)) {
            kept.add(layer);
        } else {
            layers.add(
                    new Observed(
                            layer,
                            conf,
                            new EnumMap<>(TensorRole.class),
                            new EnumMap<>(TensorRole.class)));
        }
    }

    /**
     * Fits all scales and writes them to the layers' parameters.
     *
     * @param data the inputs
     * @param forward runs the network on one batch, in inference mode
     * @return the warnings, one sentence each
     * @throws IllegalArgumentException if a batch does not fit the network, a layer's values are
     *     NaN or infinite, or a layer never runs; the message names it
     */
    List<String> run(CalibrationData data, Consumer<CalibrationData.Inputs> forward) {
        FittingProgress progress = new FittingProgress();
        fitWeights(progress);
        layers.forEach(this::observe);
        kept.forEach(layer -> QuantizedLayers.observe(layer, (role, values) -> {}));
        try {
            data.forEach(
                    inputs -> {
                        examples = inputs.examples();
                        forward(inputs, forward);
                        firstExample += examples;
                        progress.examples(firstExample);
                    });
        } finally {
            kept.forEach(layer -> QuantizedLayers.observe(layer, null));
            layers.forEach(observed -> QuantizedLayers.observe(observed.layer(), null));
        }
        List<String> warnings = new ArrayList<>();
        layers.forEach(observed -> fitActivations(observed, warnings));
        if (data.isCut()) {
            warnings.add(
                    "the scales are those of the first "
                            + data.most()
                            + " calibration examples; the data have more, which Preparation.prepare"
                            + " reads if it is given a larger number of examples");
        }
        return warnings;
    }

    private void observe(Observed observed) {
        for (TensorRole role : TensorRole.values()) {
            ActivationScheme scheme = observed.conf().quantizers().scheme(role);
            if (scheme != null && scheme.hasScale()) {
                observed.tensors().put(role, new TensorStatistics(nameOf(role, observed.conf())));
            }
        }
        QuantizedLayers.observe(
                observed.layer(),
                (role, values) -> {
                    TensorStatistics seen = observed.tensors().get(role);
                    if (seen != null) {
                        float[] copy = RowMajor.floats(values);
                        add(seen, copy);
                        // Products of attention lie head by head, which no example can be found in.
                        if (values.size(0) == examples) {
                            observed.outliers()
                                    .computeIfAbsent(role, any -> new Outliers())
                                    .add(copy, firstExample, examples);
                        }
                    }
                });
    }

    private static String nameOf(TensorRole role, QuantizedLayer conf) {
        String tensor = role.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        return "the " + tensor + " of layer '" + conf.getLayerName() + "'";
    }

    private static void add(TensorStatistics seen, float[] values) {
        try {
            seen.add(values, 0, values.length);
        } catch (IllegalArgumentException e) {
            throw new UnusableValues(e);
        }
    }

    private static void forward(
            CalibrationData.Inputs inputs, Consumer<CalibrationData.Inputs> forward) {
        try {
            forward.accept(inputs);
        } catch (UnusableValues e) {
            throw e;
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    "the network cannot compute a calibration batch of shape "
                            + Arrays.stream(inputs.features())
                                    .map(array -> Arrays.toString(array.shape()))
                                    .toList()
                            + ": "
                            + e.getMessage(),
                    e);
        }
    }

    /** Fits the scales of the weights only, which takes no data. */
    void fitWeights() {
        fitWeights(new FittingProgress());
    }

    private void fitWeights(FittingProgress progress) {
        for (int layer = 0; layer < layers.size(); layer++) {
            progress.weights(layer, layers.size());
            fitWeights(layers.get(layer));
        }
    }

    private static void fitWeights(Observed observed) {
        QuantizedLayer conf = observed.conf();
        TensorScheme scheme = conf.quantizers().weights();
        if (scheme == null || !(scheme.format() instanceof IntFormat)) {
            return;
        }
        for (WeightSlot slot : conf.weightSlots()) {
            float[] scales =
                    weightScales(
                            slot, slot.arranged(observed.layer().getParam(slot.key())), scheme);
            RowMajor.copyInto(scales, observed.layer().getParam(slot.scaleKey()));
        }
    }

    private static float[] weightScales(WeightSlot slot, INDArray weight, TensorScheme scheme) {
        int bits = scheme.format().bitsPerNumber();
        float[][] weights = channels(slot, weight);
        // Fitted in any case, because that refuses weights that are not finite.
        float[] scales = Calibration.weightScales(weights, scheme.calibration(), bits);
        if (scheme.estimator() instanceof Estimator.DoReFa doReFa) {
            float[] form = TanhWeights.of(RowMajor.floats(weight)).normalized();
            float[][] normalized = channels(slot, RowMajor.array(form, weight.shape()));
            for (int channel = 0; channel < scales.length; channel++) {
                double magnitude =
                        doReFa.fitted() ? magnitude(weights[channel], normalized[channel]) : 1;
                scales[channel] =
                        Math.max(
                                (float) (magnitude / CodeRange.narrow(bits).max()),
                                Calibration.MIN_SCALE);
            }
        }
        return scales;
    }

    /** The factor that brings normalized weights closest to the weights; 1 if all are 0. */
    private static double magnitude(float[] weights, float[] normalized) {
        double products = 0;
        double squares = 0;
        for (int i = 0; i < weights.length; i++) {
            products += (double) weights[i] * normalized[i];
            squares += (double) normalized[i] * normalized[i];
        }
        return squares > 0 ? products / squares : 1;
    }

    /** The weights that share each scale. */
    private static float[][] channels(WeightSlot slot, INDArray weight) {
        float[] values = RowMajor.floats(weight);
        float[] numbers = new float[slot.scales()];
        for (int channel = 0; channel < numbers.length; channel++) {
            numbers[channel] = channel;
        }
        float[] channelOf = new float[values.length];
        ChannelWalk.of(Walk.rowMajor(weight.shape()), slot.channels())
                .spread(0, numbers, channelOf, values.length);
        float[][] channels = new float[slot.scales()][values.length / slot.scales()];
        int[] filled = new int[slot.scales()];
        for (int i = 0; i < values.length; i++) {
            int channel = (int) channelOf[i];
            channels[channel][filled[channel]++] = values[i];
        }
        return channels;
    }

    private static void fitActivations(Observed observed, List<String> warnings) {
        QuantizedLayer conf = observed.conf();
        Require.argument(
                conf.inputShape() != null,
                "layer '%s' was never run by the calibration data, so nothing tells its ranges;"
                        + " remove it, or leave it in float by a rule of the spec",
                conf.getLayerName());
        observed.tensors().forEach((role, seen) -> fit(observed, role, seen, warnings));
    }

    private static void fit(
            Observed observed, TensorRole role, TensorStatistics seen, List<String> warnings) {
        ActivationScheme scheme = Objects.requireNonNull(observed.conf().quantizers().scheme(role));
        QuantParams params =
                Calibration.fit(
                        seen,
                        scheme.scheme().calibration(),
                        scheme.range(),
                        scheme.scheme().symmetry());
        boolean unit =
                scheme.scheme().estimator() instanceof Estimator.DoReFa doReFa && !doReFa.fitted();
        observed.layer()
                .getParam(role.scaleKey())
                .assign(unit ? 1f / scheme.range().max() : params.scale());
        if (scheme.hasZeroPoint()) {
            observed.layer().getParam(role.zeroKey()).assign(params.zeroPoint());
        }
        Outliers outliers = observed.outliers().get(role);
        String warning =
                outliers == null || unit
                        ? null
                        : outliers.warning(nameOf(role, observed.conf()), params, scheme, seen);
        if (warning != null) {
            warnings.add(warning);
        }
    }
}
