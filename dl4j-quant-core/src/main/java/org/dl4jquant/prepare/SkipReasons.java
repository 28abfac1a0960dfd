// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.MaxPoolingLayer;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.network.Step;
import org.dl4jquant.network.Topology;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.NumberFormat;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/** The outcome for each layer, in words. */
final class SkipReasons {

    /** The planner's knowledge of a network's tensors. */
    interface Facts {

        /**
         * {@return whether a tensor holds codes}
         *
         * @param tensor the step that makes it
         */
        boolean holdsCodes(String tensor);

        /**
         * {@return the layer after a step that rounds its result instead of it; null if none does}
         *
         * @param step the step
         */
        @Nullable String roundedAfter(FusedStep step);

        /**
         * {@return whether a tensor is a result of the network}
         *
         * @param tensor the step that makes it
         */
        boolean isOutput(String tensor);

        /**
         * {@return whether a tensor's examples are those of several batches below one another}
         *
         * @param tensor the step that makes it
         */
        boolean isStacked(String tensor);

        /**
         * {@return the function that stands between a quantized layer with a float result and a
         * step, and that can only end a network; null if there is none}
         *
         * @param step a step that rounds its input
         */
        @Nullable Ending endingBefore(FusedStep step);
    }

    /**
     * A function that can only end a network.
     *
     * @param step the step whose function it is
     * @param function the function
     */
    record Ending(String step, IActivation function) {}

    private SkipReasons() {}

    static PrepareReport report(
            Topology<FusedStep> original,
            Topology<FusedStep> merged,
            Map<String, LayerQuantizers> wrapped,
            Map<String, ActivationScheme> inserted,
            Map<String, String> names,
            Map<String, LayerScheme> schemes,
            Facts facts) {
        List<PrepareReport.Entry> entries = new ArrayList<>();
        for (String input : original.inputs().stream().sorted().toList()) {
            ActivationScheme quantizer = inserted.get(input);
            if (quantizer != null) {
                LayerScheme scheme = new LayerScheme(null, quantizer.scheme());
                entries.add(
                        new PrepareReport.Entry(
                                input,
                                "network input",
                                scheme,
                                true,
                                null,
                                roundedAfter(names.get(input), quantizer)));
            }
        }
        for (FusedStep step : original.steps()) {
            FusedStep home = home(merged, step.name());
            LayerQuantizers quantizers = wrapped.get(home.name());
            LayerScheme scheme = schemes.get(home.name());
            QuantizedLayer kept = step.kept();
            if (kept != null) {
                entries.add(kept(step, kept.preparedQuantizers(), facts));
                continue;
            }
            ActivationScheme quantizer = inserted.get(step.name());
            boolean rounded = inserted.containsKey(home.name()) || facts.roundedAfter(home) != null;
            entries.add(
                    new PrepareReport.Entry(
                            step.name(),
                            step.type(),
                            actual(scheme, quantizers, quantizer),
                            facts.holdsCodes(home.name()) || facts.roundedAfter(home) != null,
                            obstacle(home, quantizers, rounded, facts),
                            quantizer == null
                                    ? remark(step, home, quantizers, scheme, facts)
                                            + Kept.floatBefore(merged, home, quantizers)
                                    : roundedAfter(names.get(step.name()), quantizer)));
        }
        return new PrepareReport(entries, List.of());
    }

    private static PrepareReport.Entry kept(
            FusedStep step, LayerQuantizers quantizers, Facts facts) {
        ActivationScheme activations =
                quantizers.result() == null ? quantizers.input() : quantizers.result();
        LayerScheme scheme =
                new LayerScheme(
                        quantizers.weights(), activations == null ? null : activations.scheme());
        return new PrepareReport.Entry(
                step.name(),
                step.type(),
                scheme,
                quantizers.result() != null && quantizers.result().isInteger(),
                obstacle(step, quantizers, false, facts),
                "quantized already, stays as it is: "
                        + describe(quantizers, scheme, changer(step)));
    }

    private static @Nullable String obstacle(
            FusedStep step, @Nullable LayerQuantizers quantizers, boolean rounded, Facts facts) {
        return new LoweringForecast(facts)
                .obstacle(step, quantizers, rounded)
                .map(refusal -> refusal.reason() + "; " + refusal.remedy())
                .orElse(null);
    }

    private static String roundedAfter(@Nullable String quantizer, ActivationScheme scheme) {
        return "rounded by '"
                + quantizer
                + "', "
                + (scheme.isInteger() ? sign(scheme) : "to half precision");
    }

    private static FusedStep home(Topology<FusedStep> merged, String member) {
        return merged.steps().stream()
                .filter(step -> step.members().contains(member))
                .findFirst()
                .orElseThrow();
    }

    private static String sign(ActivationScheme scheme) {
        return scheme.signed() ? "signed" : "unsigned";
    }

    /* What is rounded: of a layer without weights its result, of others what the weights multiply. */
    private static @Nullable LayerScheme actual(
            @Nullable LayerScheme scheme,
            @Nullable LayerQuantizers quantizers,
            @Nullable ActivationScheme quantizer) {
        if (quantizer != null) {
            return new LayerScheme(null, quantizer.scheme());
        }
        if (scheme == null || quantizers == null) {
            return null;
        }
        ActivationScheme result = quantizers.result();
        if (quantizers.weights() == null && result != null) {
            return new LayerScheme(null, result.scheme());
        }
        boolean rounds =
                quantizers.input() != null
                        || quantizers.inputFrom() != null
                        || quantizers.scheme(TensorRole.HIDDEN) != null
                        || result != null;
        return new LayerScheme(quantizers.weights(), rounds ? scheme.activations() : null);
    }

    private static String remark(
            FusedStep step,
            FusedStep home,
            @Nullable LayerQuantizers quantizers,
            @Nullable LayerScheme scheme,
            Facts facts) {
        if (!step.name().equals(home.name())) {
            return "joined with '" + home.name() + "'";
        }
        if (quantizers != null) {
            return describe(quantizers, actual(scheme, quantizers, null), changer(step));
        }
        return why(step, scheme, facts);
    }

    private static @Nullable String changer(FusedStep step) {
        return step.changesInput()
                ? Step.typeOf(Objects.requireNonNull(step.preprocessor()))
                : null;
    }

    private static String describe(
            LayerQuantizers quantizers, @Nullable LayerScheme scheme, @Nullable String changed) {
        List<String> parts = new ArrayList<>();
        RuntimeScale found = quantizers.input() == null ? null : quantizers.input().runtimeScale();
        if (found != null) {
            parts.add(
                    found == RuntimeScale.PER_ROW
                            ? "finds a scale for each row of its input at run time"
                            : "finds a scale for each batch of its input at run time");
        } else if (quantizers.input() != null) {
            parts.add(
                    changed == null
                            ? "rounds its input"
                            : "rounds its input, whose values " + changed + " changes");
        }
        if (quantizers.inputFrom() != null) {
            parts.add("input from '" + quantizers.inputFrom() + "'");
        }
        ActivationScheme argument = quantizers.scheme(TensorRole.PRE_ACTIVATION);
        if (argument != null) {
            parts.add(
                    argument.isInteger()
                            ? "activation function as a table"
                            : "rounded before its activation function");
        }
        if (quantizers.scheme(TensorRole.HIDDEN) != null) {
            parts.add("hidden state rounded in each step");
        }
        if (quantizers.scheme(TensorRole.PROBABILITY) != null) {
            parts.add("inner products rounded");
        }
        if (quantizers.scheme(TensorRole.DEPTHWISE) != null) {
            parts.add("rounded between its two convolutions");
        }
        if (quantizers.scheme(TensorRole.NORMALIZED) != null) {
            parts.add("rounded before its layer normalization");
        }
        parts.add(result(quantizers, scheme));
        return String.join(", ", parts);
    }

    private static String result(LayerQuantizers quantizers, @Nullable LayerScheme scheme) {
        ActivationScheme result = quantizers.result();
        if (result == null) {
            return "result in float";
        }
        return result.isInteger()
                ? "result " + sign(result) + width(quantizers, scheme)
                : "result in half precision";
    }

    /* The readers decide over the result's width, the scheme over that of what the layer reads. */
    private static String width(LayerQuantizers quantizers, @Nullable LayerScheme scheme) {
        NumberFormat result = Objects.requireNonNull(quantizers.result()).scheme().format();
        TensorScheme own = scheme == null ? null : scheme.activations();
        return own == null || own.format().equals(result)
                ? ""
                : ", " + result.bitsPerNumber() + " bits";
    }

    private static String why(FusedStep step, @Nullable LayerScheme scheme, Facts facts) {
        Layer layer = step.thawed();
        if (scheme != null && scheme.isFloat()) {
            return "stays in float: a rule of the spec says so";
        }
        if (scheme != null && scheme.findsScales() && step.flow().hasWeights()) {
            return "stays in float: only dense and output layers find scales at run time; give it a"
                    + " scheme that is calibrated, such as LayerScheme.INT8";
        }
        if ((step.flow() == CodeFlow.LOSS)) {
            return "the loss: takes values in float";
        }
        if (MaxPoolingLayer.ignoresDilation(layer)) {
            return "passes codes on as they are, with its dilation, which DL4J ignores if it pools"
                    + " with oneDNN";
        }
        if (step.flow().keepsCodes()) {
            return facts.holdsCodes(step.name())
                    ? "passes codes on as they are"
                    : "passes values on as they are: those that it reads are in float";
        }
        if (step.flow().makesValues()) {
            String rounding = facts.roundedAfter(step);
            if (rounding != null) {
                return "rounded by '" + rounding + "', which follows";
            }
            return step.flow().joins() && facts.isOutput(step.name())
                    ? "stays in float: it is an output and no layer; for codes, let an"
                            + " ActivationLayer with the identity read it and be the output"
                    : "stays in float: nothing after it computes with codes";
        }
        Class<?> known = layer == null ? null : LayerKinds.knownParent(layer);
        return "stays in float: "
                + step.type()
                + " is not supported"
                + (known == null
                        ? ""
                        : "; "
                                + known.getSimpleName()
                                + " is, but a subclass of it may compute anything");
    }
}
