// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.layer.kind.PreparedBoxes;
import org.dl4jquant.scheme.StrictScalars;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * YOLOv2's output layer in a prepared network: in training DL4J's own, in inference the definition
 * of its boxes that engines apply to their results, so that {@code output} returns what they
 * return, in every bit. Its runtime is DL4J's output layer still, with its {@code
 * getPredictedObjects}.
 */
@JsonAutoDetect(
        fieldVisibility = JsonAutoDetect.Visibility.ANY,
        getterVisibility = JsonAutoDetect.Visibility.NONE,
        isGetterVisibility = JsonAutoDetect.Visibility.NONE,
        setterVisibility = JsonAutoDetect.Visibility.NONE)
public final class YoloResultLayer extends BaseWrapperLayer implements PreparedBoxes {

    private static final long serialVersionUID = 1L;

    /** For JSON. */
    private YoloResultLayer() {}

    /**
     * Wraps an output layer.
     *
     * @param boxes DL4J's layer
     */
    public YoloResultLayer(Yolo2OutputLayer boxes) {
        super(Objects.requireNonNull(boxes, "boxes"));
        this.layerName = boxes.getLayerName();
    }

    @Override
    public Yolo2OutputLayer boxes() {
        return (Yolo2OutputLayer) underlying;
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(YoloResultLayer.class, version);
    }

    @Override
    public org.deeplearning4j.nn.api.Layer instantiate(
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> listeners,
            int layerIndex,
            @Nullable INDArray view,
            boolean initializeParams,
            DataType networkDataType) {
        YoloResultRuntime runtime = new YoloResultRuntime(conf, networkDataType);
        runtime.setListeners(listeners);
        runtime.setIndex(layerIndex);
        runtime.setParamsViewArray(view);
        runtime.setParamTable(initializer().init(conf, view, initializeParams));
        return runtime;
    }

    @Override
    public IUpdater getUpdaterByParam(String paramName) {
        return underlying.getUpdaterByParam(paramName);
    }

    @Override
    public List<Regularization> getRegularizationByParam(String paramName) {
        return underlying.getRegularizationByParam(paramName);
    }

    @Override
    public YoloResultLayer clone() {
        YoloResultLayer copy = (YoloResultLayer) super.clone();
        copy.underlying = underlying.clone();
        return copy;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof YoloResultLayer that
                && Objects.equals(layerName, that.layerName)
                && Objects.equals(underlying, that.underlying);
    }

    @Override
    public int hashCode() {
        return Objects.hash(layerName, underlying);
    }

    @Override
    public String toString() {
        return "YoloResultLayer(" + layerName + ", " + underlying + ")";
    }
}
