// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.FailingStep;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.Topology;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts quantizers into a trained network.
 *
 * <p>The network that comes in is not changed, and nothing comes out unless all of it succeeded: a
 * new configuration is built from a copy, the float parameters are copied (the updater starts
 * fresh), the scales of the weights are fitted, and then those of the activations, from what the
 * network computes in float on the calibration data. The result computes with rounded numbers from
 * the first call on, so its accuracy before any training is that of post-training quantization.
 * ND4J's random numbers stay as they were.
 *
 * <p>A network may have quantized layers already, as after transfer learning: they keep their
 * quantizers, scales and weights, whatever the spec says, and the others get theirs. Only scales
 * that no data have calibrated, such as those of layers that {@link LayerSizes} changed, are
 * fitted.
 */
public final class Preparation {

    /**
     * How many calibration examples are read unless another number is given: scales hardly change
     * with more, and every one of them passes through the network.
     */
    public static final int CALIBRATION_EXAMPLES = 2048;

    private static final Logger LOG = LoggerFactory.getLogger(Preparation.class);

    private Preparation() {}

    /**
     * Prepares a MultiLayerNetwork.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @param data a few hundred examples like those it was trained on; labels are not used. Its
     *     first {@value #CALIBRATION_EXAMPLES} are read, twice, and it is reset before and after;
     *     if it cannot be reset, the examples that are left in it are read once and kept in memory
     * @return the prepared network and the outcome for each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException if the network is not initialized, has no layer left to
     *     quantize, holds NaN, or is of an unusable data type; if a layer that is quantized already
     *     does not find the codes that it was prepared for; if the data are empty, hold NaN, or do
     *     not fit it
     */
    public static PreparedNetwork<MultiLayerNetwork> prepare(
            MultiLayerNetwork trained, QuantSpec spec, DataSetIterator data) {
        return prepare(trained, spec, data, CALIBRATION_EXAMPLES);
    }

    /**
     * Prepares a MultiLayerNetwork, with a number of calibration examples.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @param data as {@link #prepare(MultiLayerNetwork, QuantSpec, DataSetIterator)}
     * @param examples how many of the data's examples to read at most, above 0
     * @return the prepared network and the outcome for each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as {@link #prepare(MultiLayerNetwork, QuantSpec,
     *     DataSetIterator)}
     */
    public static PreparedNetwork<MultiLayerNetwork> prepare(
            MultiLayerNetwork trained, QuantSpec spec, DataSetIterator data, int examples) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(data, "data");
        return prepare(NetworkView.of(trained), spec, CalibrationData.of(data, examples));
    }

    /**
     * Prepares a ComputationGraph with one input.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @param data a few hundred examples like those it was trained on; labels are not used. Its
     *     first {@value #CALIBRATION_EXAMPLES} are read, twice, and it is reset before and after;
     *     if it cannot be reset, the examples that are left in it are read once and kept in memory
     * @return the prepared network and the outcome for each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as {@link #prepare(MultiLayerNetwork, QuantSpec,
     *     DataSetIterator)}
     */
    public static PreparedNetwork<ComputationGraph> prepare(
            ComputationGraph trained, QuantSpec spec, DataSetIterator data) {
        return prepare(trained, spec, data, CALIBRATION_EXAMPLES);
    }

    /**
     * Prepares a ComputationGraph, with a number of calibration examples.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @param data as {@link #prepare(ComputationGraph, QuantSpec, DataSetIterator)}
     * @param examples how many of the data's examples to read at most, above 0
     * @return the prepared network and the outcome for each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as {@link #prepare(ComputationGraph, QuantSpec,
     *     DataSetIterator)}
     */
    public static PreparedNetwork<ComputationGraph> prepare(
            ComputationGraph trained, QuantSpec spec, DataSetIterator data, int examples) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(data, "data");
        return prepare(NetworkView.of(trained), spec, CalibrationData.of(data, examples));
    }

    /**
     * Prepares a ComputationGraph.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @param data a few hundred examples like those it was trained on; labels are not used. Its
     *     first {@value #CALIBRATION_EXAMPLES} are read, twice, and it is reset before and after;
     *     if it cannot be reset, the examples that are left in it are read once and kept in memory
     * @return the prepared network and the outcome for each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as {@link #prepare(MultiLayerNetwork, QuantSpec,
     *     DataSetIterator)}
     */
    public static PreparedNetwork<ComputationGraph> prepare(
            ComputationGraph trained, QuantSpec spec, MultiDataSetIterator data) {
        return prepare(trained, spec, data, CALIBRATION_EXAMPLES);
    }

    /**
     * Prepares a ComputationGraph, with a number of calibration examples.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @param data as {@link #prepare(ComputationGraph, QuantSpec, MultiDataSetIterator)}
     * @param examples how many of the data's examples to read at most, above 0
     * @return the prepared network and the outcome for each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as {@link #prepare(ComputationGraph, QuantSpec,
     *     MultiDataSetIterator)}
     */
    public static PreparedNetwork<ComputationGraph> prepare(
            ComputationGraph trained, QuantSpec spec, MultiDataSetIterator data, int examples) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(data, "data");
        return prepare(NetworkView.of(trained), spec, CalibrationData.of(data, examples));
    }

    /**
     * Prepares a network of either kind, of one input.
     *
     * @param <N> its kind
     * @param trained the view of the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @param data as {@link #prepare(ComputationGraph, QuantSpec, DataSetIterator)}
     * @return the prepared network and the outcome for each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as {@link #prepare(MultiLayerNetwork, QuantSpec,
     *     DataSetIterator)}
     */
    public static <N extends Model> PreparedNetwork<N> prepare(
            NetworkView<N> trained, QuantSpec spec, DataSetIterator data) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(data, "data");
        return prepare(trained, spec, CalibrationData.of(data, CALIBRATION_EXAMPLES));
    }

    /**
     * Prepares a MultiLayerNetwork without calibration data: one whose activations all have scales
     * that are found at run time, or stay in float.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme, such as {@link
     *     org.dl4jquant.scheme.LayerScheme#INT8_DYNAMIC}
     * @return the prepared network and the outcome for each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as with data, and if an activation has a scale that only
     *     data can show; the message names its layer
     */
    public static PreparedNetwork<MultiLayerNetwork> prepare(
            MultiLayerNetwork trained, QuantSpec spec) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        return prepareWithoutData(NetworkView.of(trained), spec);
    }

    /**
     * Prepares a ComputationGraph without calibration data, as {@link #prepare(MultiLayerNetwork,
     * QuantSpec)}.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @return the prepared network and the outcome for each layer
     * @throws IllegalArgumentException as {@link #prepare(MultiLayerNetwork, QuantSpec)}
     */
    public static PreparedNetwork<ComputationGraph> prepare(
            ComputationGraph trained, QuantSpec spec) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        return prepareWithoutData(NetworkView.of(trained), spec);
    }

    private static <N extends Model> PreparedNetwork<N> prepareWithoutData(
            NetworkView<N> trained, QuantSpec spec) {
        requireUsable(trained);
        StepSplit<N> split = StepSplit.of(trained, spec);
        NetworkView<N> float32 = split.view();
        Topology<FusedStep> network = float32.topology().map(FusedStep::of);
        Plan plan = useful(Planner.plan(network, spec, split.positions(), input -> false));
        plan.requireNoCalibration();
        NetworkView<N> prepared = NetworkRebuild.rebuild(float32, plan);
        fitting(prepared, plan).fitWeights();
        return reported(
                prepared.network(),
                plan.report().withWarnings(renamed(trained)).withWarnings(plan.warnings()));
    }

    private static <N extends Model> PreparedNetwork<N> prepare(
            NetworkView<N> trained, QuantSpec spec, CalibrationData inputs) {
        requireUsable(trained);
        StepSplit<N> split = StepSplit.of(trained, spec);
        NetworkView<N> float32 = split.view();
        Topology<FusedStep> network = float32.topology().map(FusedStep::of);
        List<String> names = network.inputs();
        InputRange[] ranges = inputs.ranges(names.size());
        Plan plan =
                useful(
                        Planner.plan(
                                network,
                                spec,
                                split.positions(),
                                name -> ranges[names.indexOf(name)].nonNegative()));
        NetworkView<N> prepared = NetworkRebuild.rebuild(float32, plan);
        List<String> outliers = fitting(prepared, plan).run(inputs, batch -> run(prepared, batch));
        return reported(
                prepared.network(),
                plan.report()
                        .withWarnings(renamed(trained))
                        .withWarnings(warnings(names, ranges))
                        .withWarnings(plan.warnings())
                        .withWarnings(outliers));
    }

    static void run(NetworkView<?> network, CalibrationData.Inputs batch) {
        try {
            network.output(batch.features(), batch.masks());
        } catch (UnusableValues e) {
            throw e;
        } catch (RuntimeException e) {
            String step = FailingStep.description(network, batch.features(), UnusableValues.class);
            throw step == null ? e : new IllegalArgumentException(step, e);
        }
    }

    private static List<String> renamed(NetworkView<?> network) {
        List<String> warnings = new ArrayList<>();
        if (!(network.network() instanceof MultiLayerNetwork)) {
            return warnings;
        }
        List<String> names = network.names();
        for (int i = 0; i < names.size(); i++) {
            String own = network.layers().get(i).conf().getLayer().getLayerName();
            if (own != null && !own.isBlank() && !own.equals(names.get(i))) {
                warnings.add(
                        "several layers are called '%s'; the one at index %d is '%s' from here on"
                                .formatted(own, i, names.get(i)));
            }
        }
        return warnings;
    }

    private static void requireUsable(NetworkView<?> network) {
        Require.argument(
                network.initialized(),
                "the network has no parameters yet; call init() and train it first");
        DataType type = network.network().params().dataType();
        Require.argument(
                type == DataType.FLOAT || type == DataType.DOUBLE,
                "the network computes in %s; quantized training needs FLOAT or DOUBLE: see"
                        + " convertDataType",
                type);
    }

    private static Plan useful(Plan plan) {
        String kept =
                plan.network().steps().stream()
                        .filter(step -> step.kept() != null)
                        .map(FusedStep::name)
                        .findFirst()
                        .orElse(null);
        Require.argument(
                kept == null
                        || !plan.wrapped().isEmpty()
                        || !plan.inserted().isEmpty()
                        || plan.network().steps().stream()
                                .filter(step -> plan.results().contains(step.name()))
                                .anyMatch(Wrapping::replacesFunction),
                "layer '%s' is quantized already, and no layer is left that could be; prepare the"
                        + " float network, or call fit on this one",
                String.valueOf(kept));
        return plan;
    }

    private static ScaleFitting fitting(NetworkView<?> prepared, Plan plan) {
        List<Layer> kept = new ArrayList<>();
        for (FusedStep step : plan.network().steps()) {
            if (step.kept() != null) {
                Layer layer = Objects.requireNonNull(prepared.layer(step.name()), step.name());
                if (Recalibration.isCalibrated(layer)) {
                    kept.add(layer);
                }
            }
        }
        return new ScaleFitting(prepared.layers(), layer -> isOne(layer, kept));
    }

    /* DL4J's wrappers are equal if what they wrap is. */
    private static boolean isOne(Layer layer, List<Layer> of) {
        return of.stream().anyMatch(one -> one == layer);
    }

    private static List<String> warnings(List<String> names, InputRange[] ranges) {
        List<String> warnings = new ArrayList<>();
        for (int i = 0; i < ranges.length; i++) {
            if (ranges[i].isConstant()) {
                warnings.add(
                        "the calibration data are "
                                + ranges[i].least()
                                + " everywhere at input '"
                                + names.get(i)
                                + "': larger values will be clipped; give examples like those the"
                                + " network was trained on");
            }
        }
        return warnings;
    }

    private static <N> PreparedNetwork<N> reported(N network, PrepareReport report) {
        report.warnings().forEach(LOG::warn);
        LOG.debug("Prepared for quantization-aware training:{}{}", System.lineSeparator(), report);
        return new PreparedNetwork<>(network, report);
    }
}
