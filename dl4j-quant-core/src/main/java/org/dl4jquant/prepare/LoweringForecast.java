// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Optional;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.integer.FloatLayers;
import org.dl4jquant.layer.integer.IntegerSupport.Refusal;
import org.dl4jquant.layer.integer.OutputFunctions;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.layer.integer.QuantizerObstacles;
import org.dl4jquant.layer.integer.StackForm;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.scheme.IntFormat;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * The obstacles that a network will meet when it is lowered, as far as they are known before it
 * runs. What depends on the shapes of its images is not known yet.
 *
 * @param facts the planner's knowledge of the network's tensors
 */
record LoweringForecast(SkipReasons.Facts facts) {

    /**
     * {@return the first obstacle of a step; empty if it becomes integers}
     *
     * @param step the step, with all that is joined with it
     * @param quantizers its quantizers; null without
     * @param rounded whether another layer rounds its result
     */
    Optional<Refusal> obstacle(
            FusedStep step, @Nullable LayerQuantizers quantizers, boolean rounded) {
        return ofPreprocessor(step)
                .or(() -> Optional.ofNullable(quantizers).flatMap(all -> ofSchemes(step, all)))
                .or(() -> step.kind().integers().refusal())
                .or(() -> ofStack(step))
                .or(
                        () ->
                                quantizers == null
                                        ? ofFloat(step, rounded)
                                        : ofQuantizers(step, quantizers));
    }

    private static Optional<Refusal> ofSchemes(FusedStep step, LayerQuantizers quantizers) {
        return QuantizerObstacles.of(step.name(), quantizers);
    }

    private Optional<Refusal> ofStack(FusedStep step) {
        return facts.isOutput(step.name()) && facts.isStacked(step.name())
                ? Optional.of(StackForm.asOneBatch())
                : Optional.empty();
    }

    private static Optional<Refusal> ofPreprocessor(FusedStep step) {
        InputPreProcessor before = step.preprocessor();
        return before == null ? Optional.empty() : LayerKinds.of(before).integers().refusal();
    }

    private Optional<Refusal> ofFloat(FusedStep step, boolean rounded) {
        LayerKind kind = step.kind();
        if (kind.onlyAppliesFunction()) {
            return ofLastFunction(kind.lastFunction());
        }
        if (step.flow().hasWeights()) {
            return Optional.of(FloatLayers.because(step.type(), "its weights are not rounded"));
        }
        boolean readsFloat =
                step.flow().keepsCodes() && !kind.passesValues() && !facts.holdsCodes(step.name());
        boolean makesFloat = step.flow().makesValues() && !rounded;
        return readsFloat || makesFloat
                ? Optional.of(FloatLayers.withoutCodes(step.type()))
                : Optional.empty();
    }

    private Optional<Refusal> ofQuantizers(FusedStep step, LayerQuantizers quantizers) {
        Layer layer = step.thawed();
        if (layer == null) {
            return Optional.empty();
        }
        InputPreProcessor before = step.preprocessor();
        if (before != null
                && quantizers.input() != null
                && quantizers.input().runtimeScale() != null
                && !LayerKinds.of(before).passesValues()
                && !facts.holdsCodes(step.inputs().get(0))) {
            return Optional.of(FloatLayers.movedValues(before.getClass().getSimpleName()));
        }
        SkipReasons.Ending ending = quantizers.input() == null ? null : facts.endingBefore(step);
        if (ending != null) {
            return Optional.of(
                    FloatLayers.endingFunction(
                            ending.step(), ending.function().getClass().getSimpleName()));
        }
        if (step.flow().hasWeights()) {
            if (quantizers.weights() == null
                    || !(quantizers.weights().format() instanceof IntFormat)) {
                return Optional.of(FloatLayers.because(layer, "its weights are not rounded"));
            }
            boolean indices = step.flow() == CodeFlow.READS_INDICES;
            if (indices && quantizers.result() == null) {
                return Optional.of(
                        FloatLayers.because(layer, "its result is not rounded to integers"));
            }
            if (!indices && quantizers.input() == null && quantizers.inputFrom() == null) {
                return Optional.of(
                        FloatLayers.because(layer, "its input is not rounded to integers"));
            }
        }
        IActivation function = step.lastFunction();
        if (quantizers.result() == null) {
            return ofLastFunction(function);
        }
        return function != null && PointwiseActivation.of(function).isEmpty()
                ? Optional.of(FloatLayers.unknownFunction(function))
                : Optional.empty();
    }

    private static Optional<Refusal> ofLastFunction(@Nullable IActivation function) {
        return function != null && OutputFunctions.of(function, 0).isEmpty()
                ? Optional.of(FloatLayers.withoutDefinition(function))
                : Optional.empty();
    }
}
