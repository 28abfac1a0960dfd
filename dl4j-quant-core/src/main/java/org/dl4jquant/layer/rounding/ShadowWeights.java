// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.params.SeparableConvolutionParamInitializer;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The parameters that the underlying layer computes with: the rounded image of the float masters in
 * the network's parameters.
 */
public final class ShadowWeights {

    private final Map<String, INDArray> masters;
    private final Map<String, INDArray> shadows;
    private final Map<String, ValueRounder> rounders = new LinkedHashMap<>();
    private final Map<String, WeightSlot> slots = new LinkedHashMap<>();
    private final List<String> copied = new ArrayList<>();
    private Map<String, INDArray> gradients = Map.of();

    /**
     * Pairs masters and shadows.
     *
     * @param layer the layer's name, for errors
     * @param scheme how its weights are rounded at the precision in force; null leaves them in
     *     float
     * @param keys the names of the weights that are rounded, if any are
     * @param scaled those of them that have scales
     * @param masters the layer's parameters, views of the network's
     * @param shadows the underlying layer's parameters, on a buffer of their own
     */
    public ShadowWeights(
            String layer,
            @Nullable TensorScheme scheme,
            Collection<String> keys,
            Collection<WeightSlot> scaled,
            Map<String, INDArray> masters,
            Map<String, INDArray> shadows) {
        this.masters = masters;
        this.shadows = shadows;
        scaled.forEach(slot -> slots.put(slot.key(), slot));
        if (scheme != null) {
            for (String key : keys) {
                rounders.put(key, rounder(layer, scheme, key));
            }
        }
        shadows.keySet().stream().filter(key -> !rounders.containsKey(key)).forEach(copied::add);
    }

    private ValueRounder rounder(String layer, TensorScheme scheme, String key) {
        WeightSlot slot = slots.get(key);
        INDArray scales = slot == null ? null : masters.get(slot.scaleKey());
        if (slot == null || scales == null || !(scheme.format() instanceof IntFormat)) {
            return new HalfPrecision();
        }
        return CodeRounder.ofWeight(
                layer, slot, CodeRange.narrow(scheme.format().bitsPerNumber()), scheme, scales);
    }

    /**
     * {@return the rounder of a weight to codes; null if it stays in float}
     *
     * @param key the weight's parameter name
     */
    public @Nullable CodeRounder codes(String key) {
        return rounders.get(key) instanceof CodeRounder codes ? codes : null;
    }

    /**
     * Gives the views of the network's gradient.
     *
     * @param views by parameter
     */
    public void setGradients(Map<String, INDArray> views) {
        gradients = views;
        slots.forEach(
                (key, slot) -> {
                    INDArray view = views.get(slot.scaleKey());
                    ValueRounder rounder = rounders.get(key);
                    if (view != null && rounder != null) {
                        rounder.setScaleGradients(view);
                    }
                });
    }

    /**
     * Rounds the masters into the shadows.
     *
     * @param input how the codes stand for values that the biased weight is multiplied by; null if
     *     unknown, then the bias stays in float
     */
    public void refresh(@Nullable QuantParams input) {
        rounders.forEach(
                (key, rounder) ->
                        rounder.forward(arranged(key, master(key)), arranged(key, shadow(key))));
        for (String key : copied) {
            shadow(key).assign(master(key));
        }
        INDArray bias = shadows.get(DefaultParamInitializer.BIAS_KEY);
        // A separable convolution adds its bias to the products of its second weight.
        CodeRounder second = codes(SeparableConvolutionParamInitializer.POINT_WISE_WEIGHT_KEY);
        CodeRounder weights = second == null ? codes(DefaultParamInitializer.WEIGHT_KEY) : second;
        if (input != null && bias != null && weights != null) {
            roundBias(bias, input.scale(), weights.usableScales());
        }
    }

    /**
     * Says which iteration of a training the next passes belong to.
     *
     * @param iteration the network's count, or {@link ValueRounder#NO_TRAINING}
     */
    public void setIteration(int iteration) {
        rounders.values().forEach(rounder -> rounder.setIteration(iteration));
    }

    /** Copies the masters into the shadows unrounded, for calibration. */
    public void copy() {
        shadows.forEach((key, shadow) -> shadow.assign(master(key)));
    }

    private static void roundBias(INDArray bias, float inputScale, float[] weightScales) {
        float[] values = RowMajor.floats(bias);
        for (int i = 0; i < values.length; i++) {
            float step = inputScale * weightScales[weightScales.length == 1 ? 0 : i];
            // In double, as the integers are made: near a tie, float32 takes the other neighbour.
            values[i] = (float) (Math.rint((double) values[i] / step) * step);
        }
        RowMajor.copyInto(values, bias);
    }

    /** Raises scales that an update has made useless. */
    public void raiseUselessScales() {
        rounders.forEach(
                (key, rounder) -> {
                    if (rounder instanceof CodeRounder codes) {
                        codes.raiseUseless(arranged(key, master(key)));
                    }
                });
    }

    /** Turns the gradients of the rounded weights into those of the masters and the scales. */
    public void backward() {
        rounders.forEach(
                (key, rounder) -> {
                    INDArray gradient = like(master(key), gradients.get(key));
                    INDArray arranged = arranged(key, gradient);
                    rounder.backward(arranged(key, master(key)), arranged, arranged);
                });
    }

    /** {@return the weights that are rounded, as their quantizers see them} */
    public List<QuantizedTensor> tensors() {
        List<QuantizedTensor> tensors = new ArrayList<>();
        rounders.forEach(
                (key, rounder) -> {
                    WeightSlot slot = slots.get(key);
                    tensors.add(
                            new QuantizedTensor(
                                    key,
                                    true,
                                    arranged(key, master(key)),
                                    slot == null ? null : rounder.grid(slot.scaleKey()),
                                    false));
                });
        return tensors;
    }

    private INDArray arranged(String key, INDArray weight) {
        WeightSlot slot = slots.get(key);
        return slot == null ? weight : slot.arranged(weight);
    }

    private INDArray master(String key) {
        return Objects.requireNonNull(masters.get(key), key);
    }

    private INDArray shadow(String key) {
        return like(master(key), shadows.get(key));
    }

    /* DL4J shapes some parameters differently when it initializes them. */
    private static INDArray like(INDArray master, @Nullable INDArray other) {
        INDArray same = Objects.requireNonNull(other);
        return Arrays.equals(master.shape(), same.shape())
                ? same
                : same.reshape(master.ordering(), master.shape());
    }
}
