// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.layer.kind.Batches;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.network.Topology;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.NumberFormat;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * Says which tensors of a network are needed as codes, and which steps make and read them. It
 * follows from the steps' kinds and schemes alone; where the quantizers stand is decided by {@link
 * Planner}.
 */
final class CodeNeeds {

    private final Topology<FusedStep> network;
    private final Map<String, LayerScheme> schemes;
    private final Map<String, Boolean> needed = new HashMap<>();

    /**
     * Looks at a network.
     *
     * @param network the network, with fused steps
     * @param schemes the scheme of each step that may be rounded, by its name
     */
    CodeNeeds(Topology<FusedStep> network, Map<String, LayerScheme> schemes) {
        this.network = network;
        this.schemes = schemes;
    }

    /** {@return how a step's scheme rounds activations; null if it leaves them in float} */
    @Nullable TensorScheme activations(FusedStep step) {
        LayerScheme scheme = schemes.get(step.name());
        return scheme == null || isFloat(step, scheme) ? null : scheme.activations();
    }

    /**
     * {@return whether a scheme leaves a step in float: there is nothing in it, or scales at run
     * time, which the step cannot find}
     *
     * @param step the step
     * @param scheme its scheme
     */
    static boolean isFloat(FusedStep step, LayerScheme scheme) {
        return scheme.isFloat() || (scheme.findsScales() && !step.kind().findsScales());
    }

    private boolean findsScales(FusedStep step) {
        TensorScheme scheme = activations(step);
        return scheme != null && scheme.runtimeScale() != null;
    }

    /** {@return whether the step's result is rounded} */
    boolean makesCodes(FusedStep step) {
        if (step.kept() != null) {
            return Kept.codes(step) != null;
        }
        if (step.keptJoint() != null) {
            return true;
        }
        boolean can = step.flow().makesValues() || step.flow().hasWeights();
        return can
                && !step.kind().isOutput()
                && activations(step) != null
                && !findsScales(step)
                && codesNeeded(step.name());
    }

    /** {@return whether a later step computes with the tensor's codes, or it leaves as codes} */
    private boolean codesNeeded(String tensor) {
        Boolean known = needed.get(tensor);
        if (known == null) {
            known =
                    network.consumers(tensor).stream().anyMatch(this::computesWithCodes)
                            || leavesAsCodes(tensor);
            needed.put(tensor, known);
        }
        return known;
    }

    /* Pools, sums, concatenations and embeddings have integer forms that make codes only, so where
     * they end a network the result is codes, to which what follows applies its functions. The codes of a
     * vertex are made by a layer after it, which cannot take its place as an output. */
    private boolean leavesAsCodes(String tensor) {
        FusedStep step = network.step(tensor);
        if (step == null) {
            return false;
        }
        boolean pools = step.flow().sumsCodes() || step.kind().flow() == CodeFlow.PICKS;
        boolean tables = step.kind().tabulates() && !step.flow().hasWeights();
        boolean layer = step.plainVertex() == null;
        return ((pools || tables) && layer && network.outputs().contains(tensor))
                || ((pools || tables || step.flow().joins() || step.kind().makesOnlyCodes())
                        && leavesFurtherOn(tensor))
                || (step.flow().hasWeights() && leavesMoved(tensor, false));
    }

    /** {@return whether elements of the tensor move before they leave the network} */
    private boolean leavesMoved(String tensor, boolean moved) {
        return network.consumers(tensor).stream()
                .filter(reader -> reader.kind().onlyAppliesFunction() || reader.flow().keepsCodes())
                .anyMatch(
                        reader -> {
                            boolean moves = moved || moves(reader) || movesInput(reader);
                            return (moves && network.outputs().contains(reader.name()))
                                    || leavesMoved(reader.name(), moves);
                        });
    }

    /** {@return whether steps that only apply functions or move elements end the network} */
    private boolean leavesFurtherOn(String tensor) {
        return network.consumers(tensor).stream()
                .filter(reader -> reader.kind().onlyAppliesFunction() || reader.flow().keepsCodes())
                .map(FusedStep::name)
                .anyMatch(name -> network.outputs().contains(name) || leavesFurtherOn(name));
    }

    /** {@return whether a step computes with the codes of the tensors it reads} */
    boolean computesWithCodes(FusedStep reader) {
        if (reader.kept() != null) {
            return Kept.readsCodes(reader);
        }
        if (reader.keptJoint() != null) {
            return true;
        }
        if (reader.changesInput()) {
            return false;
        }
        if (reader.flow().keepsCodes()) {
            return codesNeeded(reader.name());
        }
        if (reader.flow().makesValues()) {
            return makesCodes(reader);
        }
        return reader.flow().hasWeights()
                && !(reader.flow() == CodeFlow.READS_INDICES)
                && activations(reader) != null;
    }

    /**
     * {@return whether the activation layer after a sum carries its only quantizer}
     *
     * <p>A sum with a ReLU after it is one node of the integer graph: the ReLU is the clamp of the
     * sum's codes.
     */
    boolean carriedByActivation(FusedStep step) {
        FusedStep next = network.onlyConsumer(step.name());
        return (step.plainVertex() != null)
                && next != null
                && !next.preprocessed()
                && next.kind().onlyAppliesFunction()
                && isClamp(next.lastFunction())
                && makesCodes(next);
    }

    private static boolean isClamp(@Nullable IActivation function) {
        return function != null
                && PointwiseActivation.of(function).map(PointwiseActivation::isClamp).orElse(false);
    }

    /** {@return the name of the step whose quantizer rounds a step's result} */
    String roundedBy(FusedStep step) {
        FusedStep next = carriedByActivation(step) ? network.onlyConsumer(step.name()) : null;
        return next == null ? step.name() : next.name();
    }

    /**
     * {@return whether the tensor's elements move, or a pool picks some of them, on a way to codes:
     * only codes can be moved or picked}
     */
    boolean isMoved(String tensor) {
        return network.consumers(tensor).stream()
                .filter(this::computesWithCodes)
                .anyMatch(
                        reader ->
                                movesInput(reader)
                                        || (reader.flow().keepsCodes()
                                                && (moves(reader) || isMoved(reader.name()))));
    }

    /* What does not lower anyway is not rounded earlier than it has to be. */
    private static boolean moves(FusedStep step) {
        LayerKind kind = step.kind();
        return step.flow().keepsCodes()
                && !kind.passesValues()
                && (kind.flow() == CodeFlow.PICKS || kind.integers().refusal().isEmpty());
    }

    private static boolean movesInput(FusedStep step) {
        InputPreProcessor before = step.preprocessor();
        if (before == null) {
            return false;
        }
        LayerKind kind = LayerKinds.of(before);
        return !kind.passesValues() && kind.integers().refusal().isEmpty();
    }

    /** {@return whether a tensor's examples are those of several batches below one another} */
    boolean isStacked(String tensor) {
        return isStacked(tensor, new HashMap<>());
    }

    /* Each tensor once: the ways to it are as many as all combinations of branches. */
    private boolean isStacked(String tensor, Map<String, Boolean> known) {
        Boolean answer = known.get(tensor);
        if (answer == null) {
            answer = findStacked(tensor, known);
            known.put(tensor, answer);
        }
        return answer;
    }

    private boolean findStacked(String tensor, Map<String, Boolean> known) {
        FusedStep step = network.step(tensor);
        if (step == null) {
            return false;
        }
        InputPreProcessor before = step.preprocessor();
        // There is one time step of vectors, before which DL4J may put such a preprocessor, too.
        Batches first =
                before == null || isVector(step.inputs().get(0))
                        ? Batches.KEPT
                        : LayerKinds.of(before).batches();
        Batches all = step.kind().batches() == Batches.KEPT ? first : step.kind().batches();
        return all == Batches.KEPT
                ? step.inputs().stream().anyMatch(input -> isStacked(input, known))
                : all == Batches.STACKED;
    }

    private boolean isVector(String tensor) {
        FusedStep step = network.step(tensor);
        return step != null
                && (step.kind().makesVectors()
                        || (step.kind().onlyAppliesFunction() && isVector(step.inputs().get(0))));
    }

    /** {@return the steps that compute with a tensor's codes, where they are and further on} */
    Stream<FusedStep> readersOfCodes(String tensor) {
        return network.consumers(tensor).stream()
                .filter(this::computesWithCodes)
                .flatMap(
                        reader ->
                                reader.kept() == null && reader.flow().keepsCodes()
                                        ? readersOfCodes(reader.name())
                                        : Stream.of(reader));
    }

    /**
     * {@return the widest integers of the layers with weights that compute with a tensor's codes;
     * null if there are none}
     */
    @Nullable NumberFormat widestOfReaders(String tensor) {
        return readersOfCodes(tensor)
                .filter(each -> each.flow().hasWeights())
                .map(this::activations)
                .filter(Objects::nonNull)
                .map(scheme -> Objects.requireNonNull(scheme).format())
                .filter(IntFormat.class::isInstance)
                .max(Comparator.comparing(NumberFormat::bitsPerNumber))
                .orElse(null);
    }
}
