// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.layer.scale.ScaleUpdaters;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.StrictScalars;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * A DL4J layer with its quantizers: the configuration of a layer whose weights and activations are
 * rounded in training, and which computes with integer codes in inference.
 *
 * <p>It may stand for up to three layers of the float network: a convolution or dense layer, the
 * batch normalization after it, and the activation function after that, because these are one step
 * in the integer graph. {@code prepare} makes it; in a model file it is found under this class's
 * name.
 *
 * <p>Its parameters are the underlying layer's (in float), then the scales: one per output channel
 * for each weight ({@code scaleW} belongs to {@code W}), and one for each activation quantizer;
 * then the batch normalization's. Scales learn by the layer's updater, see {@link ScaleUpdaters},
 * without regularization but PACT's own. DL4J's gradient normalization sees the gradients of
 * weights and scales, not the running statistics; {@code RenormalizeL2PerParamType} leaves the
 * scales alone, because it would make each step of a scale as long as one of a weight.
 *
 * <p>A training may go through other precisions on its way to the one that the layer was prepared
 * for, see {@link #precision}. The layout of the parameters stays the same.
 */
@JsonAutoDetect(
        fieldVisibility = JsonAutoDetect.Visibility.ANY,
        getterVisibility = JsonAutoDetect.Visibility.NONE,
        isGetterVisibility = JsonAutoDetect.Visibility.NONE,
        setterVisibility = JsonAutoDetect.Visibility.NONE)
public final class QuantizedLayer extends BaseWrapperLayer {

    private static final long serialVersionUID = 1L;

    private @Nullable BatchNormalization batchNormalization;
    private @Nullable IActivation activation;
    private LayerQuantizers quantizers = LayerQuantizers.NONE;

    @JsonDeserialize(using = StrictScalars.OfInts.class)
    private int @Nullable [] inputShape;

    private @Nullable IUpdater scaleUpdater;
    private @Nullable String outputName;

    // Files of a network without a schedule are those of the first version.
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private @Nullable Precision precision;

    @JsonInclude(JsonInclude.Include.NON_DEFAULT)
    @JsonDeserialize(using = StrictScalars.OfBoolean.class)
    private boolean frozenScales;

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    private Map<String, String> trainingNotes = Map.of();

    /** For JSON. */
    private QuantizedLayer() {}

    /**
     * Puts quantizers around a layer.
     *
     * @param underlying the layer; {@code Bidirectional}, {@code LastTimeStep} and other wrappers
     *     stand inside, never outside
     * @param batchNormalization the batch normalization after it; null if there is none
     * @param activation the activation function after both, the underlying layer's own being the
     *     identity; null if the underlying layer's own is all there is
     * @param quantizers the quantizers of its tensors
     */
    public QuantizedLayer(
            Layer underlying,
            @Nullable BatchNormalization batchNormalization,
            @Nullable IActivation activation,
            LayerQuantizers quantizers) {
        super(Objects.requireNonNull(underlying, "underlying"));
        this.batchNormalization = batchNormalization;
        this.activation = activation;
        this.quantizers = Objects.requireNonNull(quantizers, "quantizers");
        this.layerName = underlying.getLayerName();
        this.outputName = layerName;
    }

    /**
     * Begins a quantized layer of a network that is written with quantizers from the start.
     *
     * @param underlying the layer; it is copied
     * @return its builder
     */
    public static QuantizedLayerBuilder builder(Layer underlying) {
        return new QuantizedLayerBuilder(underlying);
    }

    /** {@return the batch normalization that belongs to the layer; null if there is none} */
    public @Nullable BatchNormalization batchNormalization() {
        return batchNormalization;
    }

    /** {@return the activation function of a merged activation layer; null if there was none} */
    public @Nullable IActivation activation() {
        return activation;
    }

    /** {@return the quantizers at the precision in force} */
    public LayerQuantizers quantizers() {
        return precision == null ? quantizers : quantizers.at(precision);
    }

    /** {@return the quantizers that it was prepared for; its parameters are laid out by them} */
    public LayerQuantizers preparedQuantizers() {
        return quantizers;
    }

    /**
     * {@return the name by which other layers know the codes that this one makes: its first one;
     * DL4J gives layers others when it turns a network into a graph}
     */
    public String outputName() {
        return String.valueOf(outputName);
    }

    /** {@return the precision in force; null if it is the one that the layer was prepared for} */
    public @Nullable Precision precision() {
        return precision;
    }

    /* The running layer changes it, because its scales and rounders must follow. */
    void setPrecision(@Nullable Precision newPrecision) {
        this.precision = newPrecision;
    }

    /** {@return whether the scales have stopped learning} */
    public boolean hasFrozenScales() {
        return frozenScales;
    }

    /**
     * Stops the scales from learning, or lets them learn again.
     *
     * @param frozen whether they stop
     */
    public void setFrozenScales(boolean frozen) {
        this.frozenScales = frozen;
    }

    /** {@return the state of a training that is resumed, by name; part of the model file} */
    public Map<String, String> trainingNotes() {
        return trainingNotes;
    }

    /**
     * Replaces what a training that goes on needs to know.
     *
     * @param notes texts by name
     */
    public void setTrainingNotes(Map<String, String> notes) {
        this.trainingNotes = new TreeMap<>(notes);
    }

    /** {@return one example of the input without the batch dimension; null before calibration} */
    public int @Nullable [] inputShape() {
        return inputShape == null ? null : inputShape.clone();
    }

    /**
     * Notes what the layer's input looks like, for lowering.
     *
     * @param shape one example's dimensions, without the batch dimension
     */
    public void setInputShape(int[] shape) {
        this.inputShape = shape.clone();
    }

    /**
     * Returns this layer with other sizes. It has seen no input of these sizes, so {@link
     * #inputShape} is not known: its scales are to be fitted again.
     *
     * @param resized the underlying layer with other sizes
     * @param difference how many channels more its result has; below 0 fewer
     * @return a changed copy
     */
    public QuantizedLayer resized(Layer resized, long difference) {
        QuantizedLayer copy = clone();
        copy.underlying = Objects.requireNonNull(resized, "resized");
        copy.inputShape = null;
        BatchNormalization normalization = copy.batchNormalization;
        if (normalization != null) {
            normalization.setNOut(normalization.getNOut() + difference);
            normalization.setNIn(normalization.getNOut());
        }
        return copy;
    }

    /** {@return the updater of the layer's weights; null if it has none} */
    public @Nullable IUpdater weightUpdater() {
        return UnderlyingUpdaters.ofWeights(underlying);
    }

    /** {@return the updater that scales of a layer without weights follow; null if none was set} */
    public @Nullable IUpdater scaleUpdater() {
        return scaleUpdater;
    }

    /**
     * Sets what the scales follow if the layer has no weights whose updater they could follow.
     *
     * @param updater for example that of the layer before
     */
    public void setScaleUpdater(IUpdater updater) {
        this.scaleUpdater = updater;
    }

    /** {@return the weights that are rounded, each with its scales} */
    public List<WeightSlot> weightSlots() {
        return QuantizedParameters.weightSlots(this);
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(QuantizedLayer.class, version);
    }

    @Override
    public org.deeplearning4j.nn.api.Layer instantiate(
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> listeners,
            int layerIndex,
            @Nullable INDArray view,
            boolean initializeParams,
            DataType networkDataType) {
        DataType type = networkDataType;
        Map<String, INDArray> table = QuantizedParameters.table(this, view, initializeParams);
        table.keySet().forEach(conf::addVariable);
        org.deeplearning4j.nn.api.Layer inner =
                InnerLayer.of(this, conf, listeners, layerIndex, type);
        if (inner instanceof IOutputLayer output) {
            return new QuantizedOutputRuntime(this, conf, output, view, table, type);
        }
        if (inner instanceof RecurrentLayer recurrent) {
            return new QuantizedRecurrentRuntime(this, conf, recurrent, view, table, type);
        }
        return new QuantizedRuntime(this, conf, inner, view, table, type);
    }

    @Override
    public ParamInitializer initializer() {
        return QuantizedParameters.INSTANCE;
    }

    /**
     * Takes the input's size over from the layers before.
     *
     * @throws IllegalArgumentException if the layer was calibrated for an input of another size:
     *     its weights and scales would fit no longer, and DL4J would not see it
     */
    @Override
    public void setNIn(InputType inputType, boolean override) {
        int[] calibrated = inputShape;
        if (calibrated != null) {
            Layer changed = underlying.clone();
            changed.setNIn(inputType, override);
            Require.argument(
                    QuantizedParameters.innerLength(changed)
                            == QuantizedParameters.innerLength(underlying),
                    "layer \"%s\" was calibrated for an input of shape %s, which becomes %s; LayerSizes"
                            + " changes sizes of quantized networks, or change the float network"
                            + " and prepare that",
                    layerName,
                    Arrays.toString(calibrated),
                    inputType);
        }
        underlying.setNIn(inputType, override);
        if (batchNormalization != null) {
            batchNormalization.setNIn(underlying.getOutputType(0, inputType), override);
        }
    }

    @Override
    public void setDataType(DataType dataType) {
        underlying.setDataType(dataType);
    }

    @Override
    public List<Regularization> getRegularizationByParam(String paramName) {
        if (QuantizedParameters.isUnderlying(this, paramName)) {
            return underlying.getRegularizationByParam(paramName);
        }
        return frozenScales ? List.of() : ScaleUpdaters.regularization(quantizers(), paramName);
    }

    @Override
    public IUpdater getUpdaterByParam(String paramName) {
        return UnderlyingUpdaters.of(this, paramName);
    }

    @Override
    public boolean isPretrainParam(String paramName) {
        return QuantizedParameters.isUnderlying(this, paramName)
                && underlying.isPretrainParam(paramName);
    }

    @Override
    public GradientNormalization getGradientNormalization() {
        // A layer without parameters has none, but its scales still pass through DL4J's clipping.
        GradientNormalization normalization = underlying.getGradientNormalization();
        return normalization == null ? GradientNormalization.None : normalization;
    }

    @Override
    public void setLayerName(String layerName) {
        super.setLayerName(layerName);
        if (outputName == null) {
            outputName = layerName;
        }
        if (batchNormalization != null) {
            batchNormalization.setLayerName(layerName);
        }
    }

    @Override
    public QuantizedLayer clone() {
        QuantizedLayer copy = (QuantizedLayer) super.clone();
        copy.underlying = underlying.clone();
        copy.batchNormalization = batchNormalization == null ? null : batchNormalization.clone();
        copy.inputShape = inputShape();
        copy.scaleUpdater = scaleUpdater == null ? null : scaleUpdater.clone();
        copy.trainingNotes = new TreeMap<>(trainingNotes);
        return copy;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof QuantizedLayer that
                && Objects.equals(layerName, that.layerName)
                && Objects.equals(outputName, that.outputName)
                && Objects.equals(underlying, that.underlying)
                && Objects.equals(batchNormalization, that.batchNormalization)
                && Objects.equals(activation, that.activation)
                && quantizers.equals(that.quantizers)
                && Objects.equals(scaleUpdater, that.scaleUpdater)
                && Objects.equals(precision, that.precision)
                && frozenScales == that.frozenScales
                && trainingNotes.equals(that.trainingNotes)
                && Arrays.equals(inputShape, that.inputShape);
    }

    @Override
    public int hashCode() {
        return Objects.hash(layerName, underlying, batchNormalization, activation, quantizers)
                ^ Arrays.hashCode(inputShape);
    }

    @Override
    public String toString() {
        return "QuantizedLayer(" + layerName + ", " + underlying + ", " + quantizers() + ")";
    }

    /* Not field by field: schemes are none of Java's serializable objects. */
    private Object writeReplace() {
        return SerializedLayer.of(this);
    }
}
