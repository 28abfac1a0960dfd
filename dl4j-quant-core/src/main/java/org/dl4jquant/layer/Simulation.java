// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.AbstractLayer;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.attention.AttentionRounding;
import org.dl4jquant.layer.integer.FunctionOfNan;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.layer.quantizers.TensorObserver;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.recurrent.HiddenState;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.layer.rounding.ShadowWeights;
import org.dl4jquant.layer.rounding.ValueRounder;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What a quantized layer computes in float arithmetic on rounded values: in training always, and in
 * inference where the layer has no integer form.
 */
final class Simulation {

    /* forward:   x -round-> inner layer -> [normalization] -> [round] -> activation -> [round]
     * backward:  the same way back; each rounding masks the gradient and makes its scale's.
     *
     * The tensors in between stay in the workspace of the activations until backward has passed, and
     * backward overwrites them with gradients. The rounded input has a buffer of its own, outside of
     * all workspaces, because DL4J has no workspace for it in a ComputationGraph's inference.
     *
     * ReLU in front of unsigned codes is the codes' own clamp, and its gradient the clamp's: it is
     * not computed a second time. */

    private static final ArrayType GRADIENT = ArrayType.ACTIVATION_GRAD;

    private final Layer inner;
    private final ShadowWeights weights;
    private final @Nullable NormalizationStep normalization;
    private final IActivation activation;
    /* The dimension of the inner result that its channels lie along. */
    private final int channelAxis;
    private final boolean appliesActivation;
    /* Whether the inner result is the layer's input. */
    private final boolean appliesOnly;
    private final @Nullable ValueRounder input;
    private final @Nullable ValueRounder preActivation;
    private final @Nullable ValueRounder output;
    private final Map<TensorRole, ValueRounder> rounders;

    private @Nullable INDArray roundedInput;
    private @Nullable INDArray raw;
    private @Nullable INDArray beforeRounding;
    private @Nullable INDArray activated;
    private @Nullable INDArray addedGradient;
    private @Nullable INDArray rounded;
    private Map<String, INDArray> gradients = Map.of();
    private boolean trained;

    /** The forward pass of the inner layer: plain, with stored state, or one time step. */
    @FunctionalInterface
    interface InnerForward {
        INDArray run();
    }

    /** How gradients pass the inner layer. */
    @FunctionalInterface
    interface InnerBackward {
        Pair<Gradient, INDArray> run(INDArray upstream);
    }

    Simulation(
            QuantizedLayer conf,
            Layer inner,
            ShadowWeights weights,
            @Nullable NormalizationStep normalization,
            Map<TensorRole, ValueRounder> rounders) {
        this.inner = inner;
        this.weights = weights;
        this.normalization = normalization;
        this.activation = InnerLayer.separateActivation(conf);
        this.channelAxis = InnerLayer.normalizedAxis(conf);
        this.appliesOnly = LayerKinds.of(conf.getUnderlying()).onlyAppliesFunction();
        this.input = rounders.get(TensorRole.INPUT);
        this.preActivation = rounders.get(TensorRole.PRE_ACTIVATION);
        this.output = rounders.get(TensorRole.OUTPUT);
        this.rounders = rounders;
        this.appliesActivation =
                !PointwiseActivation.isIdentity(activation)
                        && !(isPlainRelu(activation) && clampsLikeRelu(output));
    }

    private static boolean isPlainRelu(IActivation activation) {
        return PointwiseActivation.of(activation)
                .filter(PointwiseActivation.RELU::equals)
                .isPresent();
    }

    private static boolean clampsLikeRelu(@Nullable ValueRounder output) {
        return output instanceof CodeRounder codes
                && codes.range().min() == 0
                && codes.isSymmetric();
    }

    /**
     * Rounds weights and input, and hands a rounded input to the inner layer.
     *
     * @param x the input, which the inner layer has already
     * @param known how the input's codes stand for values; null if unknown
     * @param mgr the workspaces
     */
    void prepare(INDArray x, @Nullable QuantParams known, LayerWorkspaceMgr mgr) {
        weights.refresh(known);
        raw = x;
        if (input == null) {
            return;
        }
        INDArray buffer = bufferLike(x);
        input.forward(x, buffer);
        inner.setInput(buffer, mgr);
    }

    /**
     * Says which iteration of a training the next passes belong to. The hidden state of a
     * recurrence is not told: its steps share a rounder, and would all draw the same.
     *
     * @param iteration the network's count, or {@link ValueRounder#NO_TRAINING}
     */
    void setIteration(int iteration) {
        weights.setIteration(iteration);
        for (ValueRounder rounder : Arrays.asList(input, preActivation, output)) {
            if (rounder != null) {
                rounder.setIteration(iteration);
            }
        }
        rounders.forEach(
                (role, rounder) -> {
                    if (TensorRole.OF_ATTENTION.contains(role)
                            || role == TensorRole.DEPTHWISE
                            || role == TensorRole.NORMALIZED) {
                        rounder.setIteration(iteration);
                    }
                });
    }

    private INDArray bufferLike(INDArray x) {
        INDArray buffer = roundedInput;
        if (buffer == null
                || buffer.dataType() != x.dataType()
                || !Arrays.equals(buffer.shape(), x.shape())) {
            buffer = Nd4j.createUninitializedDetached(x.dataType(), x.shape());
            roundedInput = buffer;
        }
        return buffer;
    }

    /**
     * Computes the layer's result; {@link #prepare} comes first.
     *
     * @param training whether gradients will be asked for
     * @param forward the forward pass of the inner layer
     * @param mgr the workspaces
     * @return the result, rounded if the layer rounds it
     */
    INDArray forward(boolean training, InnerForward forward, LayerWorkspaceMgr mgr) {
        trained = training;
        INDArray z = normalized(training, fed(forward.run(), mgr), mgr);
        beforeRounding = z;
        rounded = roundedTo(preActivation, z, mgr);
        activated = appliesActivation ? activate(rounded, training, mgr) : rounded;
        return roundedTo(output, activated, mgr);
    }

    /** The same in float: tensors that would be rounded go to the observer instead. */
    INDArray observe(
            TensorObserver observer, INDArray x, InnerForward forward, LayerWorkspaceMgr mgr) {
        weights.copy();
        if (input != null) {
            observer.observe(TensorRole.INPUT, x);
        }
        if (inner.input() != x) {
            inner.setInput(x, mgr);
        }
        INDArray z = normalized(false, forward.run(), mgr);
        if (preActivation != null) {
            observer.observe(TensorRole.PRE_ACTIVATION, z);
        }
        INDArray own = z == x ? mgr.dup(ArrayType.ACTIVATIONS, z) : z;
        INDArray y = activation.getActivation(own, false);
        if (output != null) {
            observer.observe(TensorRole.OUTPUT, y);
        }
        return y;
    }

    /* What only applies a function returns its own input, which is rounded by now. */
    private INDArray fed(INDArray result, LayerWorkspaceMgr mgr) {
        return appliesOnly && input != null
                ? mgr.dup(ArrayType.ACTIVATIONS, Objects.requireNonNull(roundedInput))
                : result;
    }

    private INDArray normalized(boolean training, INDArray z, LayerWorkspaceMgr mgr) {
        if (normalization == null) {
            return z;
        }
        if (training) {
            return normalization.trainingForward(z, mgr);
        }
        INDArray own = appliesOnly ? mgr.dup(ArrayType.ACTIVATIONS, z) : z;
        normalization.inferenceForwardInPlace(own, channelAxis);
        return own;
    }

    private INDArray activate(INDArray z, boolean training, LayerWorkspaceMgr mgr) {
        INDArray own = training || z == raw ? mgr.dup(ArrayType.ACTIVATIONS, z) : z;
        return training
                ? activation.getActivation(own, true)
                : FunctionOfNan.infer(activation, own);
    }

    private static INDArray roundedTo(
            @Nullable ValueRounder rounder, INDArray in, LayerWorkspaceMgr mgr) {
        if (rounder == null) {
            return in;
        }
        INDArray out =
                mgr.createUninitialized(
                        ArrayType.ACTIVATIONS, in.dataType(), in.shape(), in.ordering());
        rounder.forward(in, out);
        return out;
    }

    /** {@return the tensors rounded in the last forward pass, if backward may follow} */
    List<QuantizedTensor> tensors() {
        List<QuantizedTensor> tensors = new ArrayList<>(weights.tensors());
        if (canGoBack()) {
            RoundedActivations seen = new RoundedActivations(rounders, tensors);
            seen.add(TensorRole.INPUT, raw);
            seen.add(TensorRole.PRE_ACTIVATION, beforeRounding);
            HiddenState.raw(inner).forEach(seen::add);
            AttentionRounding.raw(inner).forEach(seen::add);
            RoundsInside.raw(inner).forEach(seen::add);
            seen.addOutput(activated, isPlainRelu(activation) && !appliesActivation);
        }
        return tensors;
    }

    /** {@return whether the last forward pass kept what {@link #backward} needs} */
    boolean canGoBack() {
        return trained && beforeRounding != null;
    }

    /**
     * Sends the gradient back through the layer.
     *
     * @param upstream the loss's gradient with respect to the result
     * @param backward how it passes the inner layer
     * @param mgr the workspaces
     * @return the parameters' gradients and the input's
     */
    Pair<Gradient, INDArray> backward(
            INDArray upstream, InnerBackward backward, LayerWorkspaceMgr mgr) {
        INDArray result = Objects.requireNonNull(activated, "backward before forward");
        INDArray shaped = Dl4jGradients.shapedLike(result, upstream);
        INDArray delta = throughRounding(output, result, withAdded(shaped, mgr), mgr);
        if (appliesActivation) {
            INDArray at = Objects.requireNonNull(rounded);
            // DL4J's functions write the gradient over their argument.
            INDArray own = at == raw ? mgr.dup(GRADIENT, at) : at;
            delta = Dl4jGradients.throughFunction(activation, own, delta);
        }
        delta = throughRounding(preActivation, beforeRounding, delta, mgr);
        Gradient gradient = new DefaultGradient();
        if (normalization != null) {
            Pair<Gradient, INDArray> step = normalization.backward(delta, mgr);
            add(gradient, step.getFirst());
            delta = step.getSecond();
        }
        Pair<Gradient, INDArray> inside = throughInner(delta, backward, mgr);
        add(gradient, inside.getFirst());
        return new Pair<>(gradient, inside.getSecond());
    }

    /** Adds to the gradient of the result, in the next backward pass only. */
    void addToNextGradient(INDArray gradient) {
        addedGradient = gradient;
    }

    private INDArray withAdded(INDArray upstream, LayerWorkspaceMgr mgr) {
        INDArray added = addedGradient;
        addedGradient = null;
        return added == null
                ? upstream
                : mgr.dup(GRADIENT, upstream).addi(added.castTo(upstream.dataType()));
    }

    private Pair<Gradient, INDArray> throughInner(
            INDArray delta, InnerBackward backward, LayerWorkspaceMgr mgr) {
        if (PNormGradient.isOf(inner.conf().getLayer())) {
            return finish(Dl4jGradients.throughPNorm(inner, delta, mgr));
        }
        boolean recomputes = inner.getClass() == ConvolutionLayer.class;
        if (recomputes) {
            // DL4J convolves again to learn the pre-activation, which the identity does not need.
            ((AbstractLayer<?>) inner).setPreOutput(beforeRounding);
        }
        Pair<Gradient, INDArray> result = backward.run(delta);
        if (recomputes) {
            ((AbstractLayer<?>) inner).setPreOutput(null);
        }
        return finish(result);
    }

    /** Turns what the inner layer returned into the masters' gradients and the raw input's. */
    Pair<Gradient, INDArray> finish(Pair<Gradient, INDArray> result) {
        weights.backward();
        if (input == null || result.getSecond() == null) {
            return result;
        }
        INDArray values = Objects.requireNonNull(raw);
        INDArray toInput = Dl4jGradients.shapedLike(values, result.getSecond());
        input.backward(values, toInput, toInput);
        return new Pair<>(result.getFirst(), toInput);
    }

    private INDArray throughRounding(
            @Nullable ValueRounder rounder,
            @Nullable INDArray in,
            INDArray upstream,
            LayerWorkspaceMgr mgr) {
        if (rounder == null) {
            return upstream;
        }
        INDArray values = Objects.requireNonNull(in, "backward before forward");
        INDArray gradient =
                values == raw
                        ? mgr.createUninitialized(
                                GRADIENT, values.dataType(), values.shape(), values.ordering())
                        : values;
        rounder.backward(values, upstream, gradient);
        return gradient;
    }

    private static void add(Gradient all, Gradient some) {
        some.gradientForVariable()
                .forEach(
                        (key, value) ->
                                all.setGradientFor(
                                        key, value, some.flatteningOrderForVariable(key)));
    }

    /** {@return the views of the network's gradient, by parameter; empty before training} */
    Map<String, INDArray> gradients() {
        return gradients;
    }

    void setGradients(Map<String, INDArray> views) {
        gradients = views;
        weights.setGradients(views);
        rounders.forEach((role, rounder) -> setGradients(rounder, role, views));
    }

    private static void setGradients(
            ValueRounder rounder, TensorRole role, Map<String, INDArray> views) {
        INDArray view = views.get(role.scaleKey());
        if (view != null) {
            rounder.setScaleGradients(view);
        }
        if (rounder instanceof CodeRounder codes) {
            codes.setZeroPointGradient(views.get(role.zeroKey()));
        }
    }

    void clear() {
        raw = null;
        beforeRounding = null;
        activated = null;
        rounded = null;
        trained = false;
        if (normalization != null) {
            normalization.clear();
        }
    }
}
