// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
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
 * A DL4J max pool in a prepared network: the same, but that the maximum of values of which one is
 * NaN is NaN, and that windows of images have the dilation that they are configured with.
 *
 * <p>DL4J passes NaN over: the maximum of 1 and NaN is 1, and that of NaN alone is the most
 * negative float32 number, which a quantizer after it would round to the smallest code. It has no
 * parameters and moves codes as the pool does.
 */
@JsonAutoDetect(
        fieldVisibility = JsonAutoDetect.Visibility.ANY,
        getterVisibility = JsonAutoDetect.Visibility.NONE,
        isGetterVisibility = JsonAutoDetect.Visibility.NONE,
        setterVisibility = JsonAutoDetect.Visibility.NONE)
public final class MaxPoolingLayer extends BaseWrapperLayer {

    private static final long serialVersionUID = 1L;

    /** For JSON. */
    private MaxPoolingLayer() {}

    /**
     * Wraps a max pool.
     *
     * @param pool DL4J's layer
     */
    public MaxPoolingLayer(Layer pool) {
        super(Objects.requireNonNull(pool, "pool"));
        this.layerName = pool.getLayerName();
    }

    /**
     * {@return whether DL4J may compute something else than the layer's configuration says: with
     * oneDNN it ignores the dilation of max pooling, which a prepared network has}
     *
     * @param layer a DL4J layer's configuration
     */
    public static boolean ignoresDilation(@Nullable Layer layer) {
        return layer != null && DilatedMaxPool.computes(layer);
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(MaxPoolingLayer.class, version);
    }

    @Override
    public org.deeplearning4j.nn.api.Layer instantiate(
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> listeners,
            int layerIndex,
            @Nullable INDArray view,
            boolean initializeParams,
            DataType networkDataType) {
        NeuralNetConfiguration inner = conf.clone();
        inner.setLayer(underlying);
        return new MaxPoolingRuntime(
                ignoresDilation(underlying)
                        ? DilatedMaxPool.of(inner, layerIndex, networkDataType)
                        : underlying.instantiate(
                                inner,
                                listeners,
                                layerIndex,
                                view,
                                initializeParams,
                                networkDataType));
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
    public MaxPoolingLayer clone() {
        MaxPoolingLayer copy = (MaxPoolingLayer) super.clone();
        copy.underlying = underlying.clone();
        return copy;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MaxPoolingLayer that
                && Objects.equals(layerName, that.layerName)
                && Objects.equals(underlying, that.underlying);
    }

    @Override
    public int hashCode() {
        return Objects.hash(layerName, underlying);
    }

    @Override
    public String toString() {
        return "MaxPoolingLayer(" + layerName + ", " + underlying + ")";
    }
}
