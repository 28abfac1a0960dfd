// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
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
 * quantizers, scales and weights, whatever the spec says, and the others get theirs.
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
     * @return the prepared network and what became of each layer; the report is logged at level
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
     * @return the prepared network and what became of each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as {@link #prepare(MultiLayerNetwork, QuantSpec,
     *     DataSetIterator)}
     */
    public static PreparedNetwork<MultiLayerNetwork> prepare(
            MultiLayerNetwork trained, QuantSpec spec, DataSetIterator data, int examples) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(data, "data");
        requireInitialized(trained.isInitCalled());
        FloatNetwork network = usable(trained, FloatNetwork.of(trained));
        CalibrationData inputs = CalibrationData.of(data, examples);
        InputRange[] ranges = inputs.ranges(1);
        Plan plan = useful(Planner.plan(network, spec, name -> ranges[0].nonNegative()));
        MultiLayerNetwork prepared = MultiLayerRebuild.rebuild(trained, plan);
        List<String> outliers = fitting(prepared, plan).run(inputs, batch -> run(prepared, batch));
        return reported(
                prepared,
                plan.report()
                        .withWarnings(renamed(trained))
                        .withWarnings(warnings(List.copyOf(network.inputs()), ranges))
                        .withWarnings(outliers));
    }

    /**
     * Prepares a ComputationGraph with one input.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @param data a few hundred examples like those it was trained on; labels are not used. Its
     *     first {@value #CALIBRATION_EXAMPLES} are read, twice, and it is reset before and after;
     *     if it cannot be reset, the examples that are left in it are read once and kept in memory
     * @return the prepared network and what became of each layer; the report is logged at level
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
     * @return the prepared network and what became of each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as {@link #prepare(ComputationGraph, QuantSpec,
     *     DataSetIterator)}
     */
    public static PreparedNetwork<ComputationGraph> prepare(
            ComputationGraph trained, QuantSpec spec, DataSetIterator data, int examples) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(data, "data");
        return prepare(trained, spec, CalibrationData.of(data, examples));
    }

    /**
     * Prepares a ComputationGraph.
     *
     * @param trained the float network, initialized; not changed
     * @param spec which layer gets which scheme
     * @param data a few hundred examples like those it was trained on; labels are not used. Its
     *     first {@value #CALIBRATION_EXAMPLES} are read, twice, and it is reset before and after;
     *     if it cannot be reset, the examples that are left in it are read once and kept in memory
     * @return the prepared network and what became of each layer; the report is logged at level
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
     * @return the prepared network and what became of each layer; the report is logged at level
     *     debug
     * @throws IllegalArgumentException as {@link #prepare(ComputationGraph, QuantSpec,
     *     MultiDataSetIterator)}
     */
    public static PreparedNetwork<ComputationGraph> prepare(
            ComputationGraph trained, QuantSpec spec, MultiDataSetIterator data, int examples) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(data, "data");
        return prepare(trained, spec, CalibrationData.of(data, examples));
    }

    private static PreparedNetwork<ComputationGraph> prepare(
            ComputationGraph trained, QuantSpec spec, CalibrationData inputs) {
        requireInitialized(trained.params() != null);
        FloatNetwork network = usable(trained, FloatNetwork.of(trained));
        List<String> names = trained.getConfiguration().getNetworkInputs();
        InputRange[] ranges = inputs.ranges(names.size());
        Plan plan =
                useful(
                        Planner.plan(
                                network, spec, name -> ranges[names.indexOf(name)].nonNegative()));
        ComputationGraph prepared = GraphRebuild.rebuild(trained, plan);
        List<String> outliers = fitting(prepared, plan).run(inputs, batch -> run(prepared, batch));
        return reported(
                prepared,
                plan.report().withWarnings(warnings(names, ranges)).withWarnings(outliers));
    }

    static void run(MultiLayerNetwork network, CalibrationData.Inputs batch) {
        INDArray[] masks = batch.masks();
        network.output(batch.features()[0], false, masks == null ? null : masks[0], null);
    }

    static void run(ComputationGraph network, CalibrationData.Inputs batch) {
        network.output(false, batch.features(), batch.masks(), null);
    }

    private static List<String> renamed(MultiLayerNetwork network) {
        List<String> warnings = new ArrayList<>();
        List<String> names = LayerNames.of(network);
        for (int i = 0; i < names.size(); i++) {
            String own = network.getLayerWiseConfigurations().getConf(i).getLayer().getLayerName();
            if (own != null && !own.isBlank() && !own.equals(names.get(i))) {
                warnings.add(
                        "several layers are called '%s'; the one at index %d is '%s' from here on"
                                .formatted(own, i, names.get(i)));
            }
        }
        return warnings;
    }

    private static void requireInitialized(boolean initialized) {
        Require.argument(
                initialized, "the network has no parameters yet; call init() and train it first");
    }

    private static FloatNetwork usable(Model model, FloatNetwork network) {
        INDArray params = model.params();
        Require.argument(
                params.dataType() == DataType.FLOAT || params.dataType() == DataType.DOUBLE,
                "the network computes in %s; quantized training needs FLOAT or DOUBLE: see"
                        + " convertDataType",
                params.dataType());
        return network;
    }

    private static Plan useful(Plan plan) {
        String kept =
                plan.network().steps().stream()
                        .filter(step -> step.kept() != null)
                        .map(Step::name)
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

    private static ScaleFitting fitting(MultiLayerNetwork prepared, Plan plan) {
        List<Layer> kept = new ArrayList<>();
        // The quantizer of the network's input comes first.
        int index = plan.inserted().size();
        for (Step step : plan.network().steps()) {
            if (step.kept() != null) {
                kept.add(prepared.getLayer(index));
            }
            index++;
        }
        return new ScaleFitting(prepared.getLayers(), layer -> isOne(layer, kept));
    }

    /* DL4J's wrappers are equal if what they wrap is. */
    private static boolean isOne(Layer layer, List<Layer> of) {
        return of.stream().anyMatch(one -> one == layer);
    }

    private static ScaleFitting fitting(ComputationGraph prepared, Plan plan) {
        List<Layer> kept =
                plan.network().steps().stream()
                        .filter(step -> step.kept() != null)
                        .map(step -> prepared.getLayer(step.name()))
                        .toList();
        return new ScaleFitting(prepared.getLayers(), layer -> isOne(layer, kept));
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
