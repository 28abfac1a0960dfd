// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.api.layers.LayerConstraint;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.attention.AttentionRounding;
import org.dl4jquant.layer.integer.Call;
import org.dl4jquant.layer.integer.ChannelLine;
import org.dl4jquant.layer.integer.IndexLookup;
import org.dl4jquant.layer.integer.IntegerForm;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorObserver;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.recurrent.HiddenState;
import org.dl4jquant.layer.rounding.ValueRounder;
import org.dl4jquant.layer.scale.ScaleHandover;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.Precision;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The running side of a {@link QuantizedLayer}. */
@SuppressWarnings(
        "serial") // DL4J's layers are serializable in name only; models are saved otherwise
class QuantizedRuntime extends ParameterRuntime {

    /* DL4J calls three kinds of layer by different methods, so there are three classes: this one,
     * and one each for output layers and recurrent layers, which add those methods. All three give
     * DL4J their parameters as ParameterRuntime does. */

    private @Nullable INDArray gradientView;
    private final DataType type;
    private final @Nullable NormalizationStep normalization;
    private Rounders rounders;
    private @Nullable IntegerForm integers;
    private @Nullable TensorObserver observer;
    private @Nullable INDArray rawInput;
    private @Nullable INDArray mask;
    private @Nullable INDArray fedMask;
    private boolean prepared;

    QuantizedRuntime(
            QuantizedLayer layerConf,
            NeuralNetConfiguration conf,
            Layer inner,
            @Nullable INDArray view,
            Map<String, INDArray> table,
            DataType type) {
        super(layerConf, conf, inner, view, table);
        this.type = type;
        this.normalization = normalization(layerConf, conf, inner.getIndex(), view, table, type);
        this.rounders = Rounders.of(layerConf, inner, table, normalization);
        this.integers = integers();
        HiddenState.connect(inner, rounders.tensors(), () -> observer);
        AttentionRounding.connect(inner, rounders.tensors(), () -> observer);
        RoundsInside.connect(inner, rounders.tensors(), () -> observer);
    }

    private static @Nullable NormalizationStep normalization(
            QuantizedLayer layer,
            NeuralNetConfiguration conf,
            int index,
            @Nullable INDArray view,
            Map<String, INDArray> table,
            DataType type) {
        BatchNormalization normalized = layer.batchNormalization();
        INDArray part = QuantizedParameters.parts(layer, view).normalization();
        return normalized == null || part == null
                ? null
                : new NormalizationStep(normalized, conf, index, part, type, table);
    }

    private @Nullable IntegerForm integers() {
        return LayerKinds.of(layerConf.getUnderlying())
                .integers()
                .form(new RuntimeTensors(this, rounders, normalization))
                .orElse(null);
    }

    /** Rounds at another precision from now on; scales keep the values at which they clip. */
    void setPrecision(@Nullable Precision precision) {
        LayerQuantizers before = layerConf.quantizers();
        layerConf.setPrecision(precision);
        new ScaleHandover(layerConf.preparedQuantizers(), before, layerConf.quantizers())
                .applyInPlace(layerConf.weightSlots(), table);
        clear();
        Map<String, INDArray> gradients = simulation().gradients();
        rounders = Rounders.of(layerConf, underlying, table, normalization);
        integers = integers();
        HiddenState.connect(underlying, rounders.tensors(), () -> observer);
        AttentionRounding.connect(underlying, rounders.tensors(), () -> observer);
        RoundsInside.connect(underlying, rounders.tensors(), () -> observer);
        // Scales that are not in use have no gradient; the view still holds their last one.
        QuantizedParameters.zeroScales(layerConf, gradients);
        simulation().setGradients(gradients);
    }

    void setObserver(@Nullable TensorObserver observer) {
        this.observer = observer;
    }

    boolean isObserved() {
        return observer != null;
    }

    // ---- forward ------------------------------------------------------------------------------

    /**
     * {@return how the codes stand for values that the biased weight reads, if it is rounded, too}
     */
    private @Nullable QuantParams inputOfCodedBias() {
        if (integers == null || !integers.hasCodedBias()) {
            return null;
        }
        RuntimeTensors tensors = new RuntimeTensors(this, rounders, normalization);
        QuantParams between = tensors.codes(TensorRole.DEPTHWISE);
        return between == null ? tensors.input(0) : between;
    }

    @Override
    public void setInput(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        // In a ComputationGraph these are the workspaces of the layer before, and only they are
        // open for this array: the underlying layer must have its input now.
        rawInput =
                workspaceMgr.leverageTo(ArrayType.INPUT, FedArrays.input(layerConf, input, type));
        underlying.setInput(rawInput, workspaceMgr);
        prepared = false;
    }

    @Override
    public @Nullable INDArray input() {
        return rawInput;
    }

    /** Rounds weights and input, unless that has been done since the input was set. */
    void prepare(boolean training, LayerWorkspaceMgr mgr) {
        if (!prepared) {
            if (training) {
                TrainingCheck check = new TrainingCheck(this);
                check.beforeForward(input(name()), params(), mask);
                check.requireMask(input(name()), fedMask);
            }
            simulation().setIteration(training ? getIterationCount() : ValueRounder.NO_TRAINING);
            simulation().prepare(input(name()), inputOfCodedBias(), mgr);
            prepared = true;
        }
    }

    private INDArray input(String layer) {
        INDArray x = rawInput;
        Require.state(x != null, "layer \"%s\" has no input; call setInput first", layer);
        return Objects.requireNonNull(x);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        setInput(input, workspaceMgr);
        return activate(training, workspaceMgr);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr mgr) {
        return activate(training, () -> innerForward(training, mgr), mgr);
    }

    private INDArray innerForward(boolean training, LayerWorkspaceMgr mgr) {
        LayerKind kind = LayerKinds.of(layerConf.getUnderlying());
        if (kind.flow() == CodeFlow.READS_INDICES) {
            FeedForwardLayer embedding = (FeedForwardLayer) kind.configuration();
            return IndexLookup.run(name(), embedding, underlying, input(name()), training, mgr);
        }
        return kind.onlyAppliesFunction() ? input(name()) : underlying.activate(training, mgr);
    }

    /** The states of a recurrent layer that goes on where it stopped. */
    interface Remembered {
        /** {@return the states before the first step, in the order of the form; none for 0} */
        List<INDArray> before();

        /** Keeps the states after the last step. */
        void after(List<INDArray> states);
    }

    INDArray activate(boolean training, Simulation.InnerForward forward, LayerWorkspaceMgr mgr) {
        return activate(training, forward, null, mgr);
    }

    INDArray activate(
            boolean training,
            Simulation.InnerForward forward,
            @Nullable Remembered remembered,
            LayerWorkspaceMgr mgr) {
        return named(() -> compute(training, forward, remembered, mgr));
    }

    <T> T named(Supplier<T> computation) {
        return ShapeFaults.named(name(), rawInput, layerConf.inputShape(), computation);
    }

    private INDArray compute(
            boolean training,
            Simulation.InnerForward forward,
            @Nullable Remembered remembered,
            LayerWorkspaceMgr mgr) {
        INDArray x = input(name());
        TensorObserver watching = observer;
        if (watching != null || layerConf.inputShape() == null) {
            layerConf.setInputShape(
                    Arrays.stream(x.shape()).skip(1).mapToInt(i -> (int) i).toArray());
        }
        if (watching != null) {
            return simulation().observe(watching, x, forward, mgr);
        }
        if (!training) {
            List<INDArray> results =
                    integers == null
                            ? List.of()
                            : integers.infer(
                                    new Call(mgr, mask, forward::run), inputs(x, remembered));
            if (!results.isEmpty()) {
                if (remembered != null) {
                    remembered.after(results.subList(1, results.size()));
                }
                return results.get(0);
            }
        }
        prepared = false;
        prepare(training, mgr);
        return simulation().forward(training, forward, mgr);
    }

    private static List<INDArray> inputs(INDArray x, @Nullable Remembered remembered) {
        List<INDArray> inputs = new ArrayList<>(List.of(x));
        if (remembered != null) {
            inputs.addAll(remembered.before());
        }
        return inputs;
    }

    // ---- the layer in integers -----------------------------------------------------------------

    /** {@return the integer form of the layer at the precision in force; empty if it has none} */
    Optional<IntegerForm> integerForm() {
        return Optional.ofNullable(integers);
    }

    /** {@return the line of each channel that its batch normalization is; empty without one} */
    Optional<ChannelLine> normalizationLine() {
        return Optional.ofNullable(normalization).map(NormalizationStep::finiteLine);
    }

    /** {@return the floating-point type of the layer's parameters} */
    DataType dataType() {
        return type;
    }

    // ---- backward -----------------------------------------------------------------------------

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr mgr) {
        if (!simulation().canGoBack()) {
            // The forward pass was an inference, as in a frozen layer that lets gradients through.
            activate(true, mgr);
        }
        return backward(epsilon, delta -> innerBackward(delta, mgr), mgr);
    }

    private Pair<Gradient, INDArray> innerBackward(INDArray delta, LayerWorkspaceMgr mgr) {
        return LayerKinds.of(layerConf.getUnderlying()).onlyAppliesFunction()
                ? new Pair<>(
                        new org.deeplearning4j.nn.gradient.DefaultGradient(),
                        mgr.leverageTo(ArrayType.ACTIVATION_GRAD, delta))
                : underlying.backpropGradient(delta, mgr);
    }

    Pair<Gradient, INDArray> backward(
            INDArray epsilon, Simulation.InnerBackward backward, LayerWorkspaceMgr mgr) {
        return withScales(simulation().backward(epsilon, backward, mgr));
    }

    Simulation simulation() {
        return rounders.simulation();
    }

    /** Adds the scales' gradients, which are in their views already. */
    Pair<Gradient, INDArray> withScales(Pair<Gradient, INDArray> result) {
        if (layerConf.hasFrozenScales()) {
            QuantizedParameters.zeroScales(layerConf, simulation().gradients());
        }
        long examples = conf().isMiniBatch() ? input(name()).size(0) : 1;
        limitScaleSteps(result.getFirst(), simulation().gradients(), examples);
        new TrainingCheck(this)
                .afterBackward(input(name()), gradientView, simulation().gradients());
        return result;
    }

    // ---- parameters ---------------------------------------------------------------------------

    @Override
    public void setBackpropGradientsViewArray(@Nullable INDArray gradientArray) {
        gradientView = gradientArray;
        if (gradientArray == null) {
            return;
        }
        QuantizedParameters.Parts parts = QuantizedParameters.parts(layerConf, gradientArray);
        if (parts.inner() != null) {
            underlying.setBackpropGradientsViewArray(parts.inner());
        }
        if (normalization != null && parts.normalization() != null) {
            normalization.setGradients(parts.normalization());
        }
        simulation().setGradients(QuantizedParameters.table(layerConf, gradientArray, false));
    }

    /** The gradients that DL4J clips or normalizes, and reads for nothing else. */
    @Override
    public @Nullable INDArray getGradientsViewArray() {
        INDArray all = gradientView;
        return all == null ? null : QuantizedParameters.withoutStatistics(layerConf, all);
    }

    /** DL4J calls this after each update. */
    @Override
    public void applyConstraints(int iteration, int epoch) {
        List<LayerConstraint> constraints = layerConf.getUnderlying().getConstraints();
        if (constraints != null) {
            constraints.forEach(constraint -> constraint.applyConstraint(this, iteration, epoch));
        }
        rounders.raiseUseless();
    }

    @Override
    public boolean updaterDivideByMinibatch(String paramName) {
        if (QuantizedParameters.isUnderlying(layerConf, paramName)) {
            return underlying.updaterDivideByMinibatch(paramName);
        }
        return normalization == null
                || !QuantizedParameters.isNormalization(layerConf, paramName)
                || normalization.updaterDividesByMinibatch(paramName);
    }

    // ---- the rest of DL4J's layer -------------------------------------------------------------

    @Override
    public void setMaskArray(@Nullable INDArray maskArray) {
        mask = FedArrays.mask(maskArray, type);
        fedMask = null;
        underlying.setMaskArray(mask);
    }

    /** How DL4J passes a mask of the features; recurrent layers let it pass and do not keep it. */
    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(
            @Nullable INDArray maskArray, MaskState currentMaskState, int minibatchSize) {
        INDArray fed = FedArrays.mask(maskArray, type);
        Pair<INDArray, MaskState> passed =
                super.feedForwardMaskArray(fed, currentMaskState, minibatchSize);
        setMaskArray(underlying.getMaskArray());
        fedMask = fed;
        return passed;
    }

    @Override
    public @Nullable INDArray getMaskArray() {
        return fedMask == null ? super.getMaskArray() : fedMask;
    }

    @Override
    public void clear() {
        underlying.clear();
        simulation().clear();
        setMaskArray(null);
        rawInput = null;
        prepared = false;
    }
}
