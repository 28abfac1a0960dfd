// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import org.dl4jquant.check.Require;
import org.dl4jquant.fakequant.CounterRandom;
import org.dl4jquant.fakequant.FakeQuantizer;
import org.dl4jquant.fakequant.Scales;
import org.dl4jquant.fakequant.StochasticQuantizer;
import org.dl4jquant.fakequant.TanhWeights;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.InputGroups;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.nd.ChannelWalk;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.nd.Walk;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.CodeRounding;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Rounds to integer codes, with the scales that the layer's parameters hold. */
public final class CodeRounder implements ValueRounder {

    /** The smallest clip point in mean magnitudes of the weights. */
    private static final double LEAST_REACH = 0.25;

    private final String layer;
    private final String tensor;
    private final CodeRange range;
    private final Estimator estimator;
    private final CodeRounding rounding;
    private final Channels channels;
    private final INDArray scales;
    private final @Nullable INDArray zeroPoint;
    private final boolean weight;
    private final int groups;
    private @Nullable INDArray scaleGradients;
    private @Nullable INDArray zeroPointGradient;
    private @Nullable CounterRandom draws;

    private CodeRounder(
            String layer,
            String tensor,
            CodeRange range,
            TensorScheme scheme,
            Channels channels,
            INDArray scales,
            @Nullable INDArray zeroPoint,
            boolean weight,
            int groups) {
        this.layer = layer;
        this.tensor = tensor;
        this.range = range;
        this.estimator = scheme.estimator();
        this.rounding = scheme.rounding();
        this.channels = channels;
        this.scales = scales;
        this.zeroPoint = zeroPoint;
        this.weight = weight;
        this.groups = groups;
    }

    /**
     * {@return the rounder of a weight}
     *
     * @param layer the layer's name, for errors
     * @param slot the weight
     * @param range its codes
     * @param scheme how it is rounded
     * @param scales units per code, a view of the network's parameters
     */
    public static CodeRounder ofWeight(
            String layer, WeightSlot slot, CodeRange range, TensorScheme scheme, INDArray scales) {
        InputGroups split = Require.given(slot, "slot").groups();
        return new CodeRounder(
                Require.given(layer, "layer"),
                "weight " + slot.key(),
                Require.given(range, "range"),
                Require.given(scheme, "scheme"),
                slot.channels(),
                Require.given(scales, "scales"),
                null,
                true,
                split == null ? 0 : split.count());
    }

    /**
     * {@return the rounder of an activation}
     *
     * @param layer the layer's name, for errors
     * @param tensor the tensor's name, for errors
     * @param scheme how it is rounded, to integers
     * @param scale units per code, one number, a view of the network's parameters
     * @param zeroPoint the code of the value 0, not rounded, a view of the network's parameters;
     *     null if it is 0
     */
    public static CodeRounder ofActivation(
            String layer,
            String tensor,
            ActivationScheme scheme,
            INDArray scale,
            @Nullable INDArray zeroPoint) {
        return new CodeRounder(
                Require.given(layer, "layer"),
                Require.given(tensor, "tensor"),
                Require.given(scheme, "scheme").range(),
                scheme.scheme(),
                Channels.NONE,
                Require.given(scale, "scale"),
                zeroPoint,
                false,
                0);
    }

    @Override
    public void setScaleGradients(INDArray view) {
        scaleGradients = view;
    }

    /**
     * Gives the view of the network's gradient that belongs to the zero point.
     *
     * @param view one number, loss per code; null without one
     */
    public void setZeroPointGradient(@Nullable INDArray view) {
        zeroPointGradient = view;
    }

    /** {@return the codes} */
    public CodeRange range() {
        return range;
    }

    @Override
    public QuantizedTensor.Grid grid(String parameter) {
        return new QuantizedTensor.Grid(parameter, inForce(), channels, range, zeroPointCode());
    }

    /** {@return whether the value 0 has the code 0} */
    public boolean isSymmetric() {
        return zeroPoint == null;
    }

    /**
     * {@return how the codes of the whole tensor stand for values, now}
     *
     * @throws IllegalStateException if the scale or the zero point is NaN or infinite
     */
    public QuantParams params() {
        return new QuantParams(
                ScaleGuard.usable(layer, tensor, scales.getFloat(0)), zeroPointCode(), range);
    }

    /**
     * {@return the scales of the output channels, units per code, after those too small have been
     * moved up; of grouped weights the scales of multiplied codes}
     *
     * @throws IllegalStateException if one is NaN or infinite
     */
    public float[] usableScales() {
        GroupScales grouped = groupScales();
        return grouped == null ? RowMajor.floats(scales) : grouped.channels();
    }

    /**
     * {@return the scales of groups of inputs in their two levels, after those too small have been
     * moved up; null if the weight has no groups}
     *
     * @throws IllegalStateException if one is NaN or infinite
     */
    public @Nullable GroupScales groupScales() {
        ScaleGuard.projectInPlace(layer, tensor, scales);
        return groups == 0 ? null : GroupScales.of(RowMajor.floats(scales), groups, range);
    }

    /** The scales that values are rounded with: the parameters, or what their two levels make. */
    private INDArray inForce() {
        GroupScales grouped = groups == 0 ? null : groupScales();
        return grouped == null ? scales : RowMajor.array(grouped.scales(), scales.shape());
    }

    @Override
    public void raiseUseless() {
        raiseUseless(null);
    }

    /**
     * Raises scales that an update has made useless.
     *
     * <p>An activation's scale is kept above 0. A weight's scale is kept so large that its codes
     * reach a quarter of the weights' mean magnitude, far below any optimum (at 2 bits that is 1.5
     * of it): a too long step could else clip a whole channel to nothing, with no way back.
     *
     * @param weights the weight that the scales belong to; null for an activation
     */
    void raiseUseless(@Nullable INDArray weights) {
        Scales.projectInPlace(scales);
        if (zeroPoint != null) {
            float kept = Math.min(Math.max(zeroPoint.getFloat(0), range.min()), range.max());
            zeroPoint.assign(kept);
        }
        if (weights == null || hasTanhWeights()) {
            return;
        }
        float[] least = leastScales(weights);
        float[] values = RowMajor.floats(scales);
        boolean raised = false;
        for (int i = 0; i < values.length; i++) {
            if (values[i] < least[i]) {
                values[i] = least[i];
                raised = true;
            }
        }
        if (raised) {
            RowMajor.copyInto(values, scales);
        }
    }

    private float[] leastScales(INDArray weights) {
        float[] magnitudes = RowMajor.floats(weights);
        for (int i = 0; i < magnitudes.length; i++) {
            magnitudes[i] = Math.abs(magnitudes[i]);
        }
        double[] sums = new double[(int) scales.length()];
        ChannelWalk.of(Walk.rowMajor(weights.shape()), channels)
                .addTo(sums, 0, magnitudes, magnitudes.length);
        float[] least = new float[sums.length];
        double codes = (double) magnitudes.length / sums.length * range.max();
        for (int i = 0; i < least.length; i++) {
            least[i] = (float) (LEAST_REACH * sums[i] / codes);
        }
        return least;
    }

    private int zeroPointCode() {
        return zeroPoint == null
                ? 0
                : ScaleGuard.zeroPointCode(layer, tensor, zeroPoint.getFloat(0), range);
    }

    @Override
    public void forward(INDArray in, INDArray out) {
        ScaleGuard.projectInPlace(layer, tensor, scales);
        INDArray values = beforeRounding(in);
        StochasticQuantizer stochastic = stochastic();
        if (stochastic == null) {
            quantizer().forward(values, inForce(), out);
        } else {
            stochastic.forward(values, inForce(), out);
        }
    }

    @Override
    public void setIteration(int iteration) {
        draws =
                iteration != NO_TRAINING && rounding instanceof CodeRounding.Stochastic stochastic
                        ? CounterRandom.of(stochastic.seed(), layer + '/' + tensor, iteration)
                        : null;
    }

    /** {@return the stochastic quantizer of a training; null if that rounds to nearest} */
    private @Nullable StochasticQuantizer stochastic() {
        return draws == null
                ? null
                : StochasticQuantizer.of(range, zeroPointCode(), estimator, channels, draws);
    }

    /**
     * {@return the values that are rounded for a tensor: itself, but for DoReFa's weights}
     *
     * @param in the tensor, with the dimensions that the channels number
     */
    public INDArray beforeRounding(INDArray in) {
        if (!hasTanhWeights()) {
            return in;
        }
        float[] values = TanhWeights.of(RowMajor.floats(in)).normalized();
        scaleToCodes(values, in);
        INDArray scaled = Nd4j.createUninitializedDetached(in.dataType(), in.shape());
        RowMajor.copyInto(values, scaled);
        return scaled;
    }

    private boolean hasTanhWeights() {
        return weight && estimator instanceof Estimator.DoReFa;
    }

    /* From [-1, 1] to [-Q_P, Q_P] codes, in values; row-major. */
    private void scaleToCodes(float[] normalized, INDArray like) {
        float[] spread = new float[normalized.length];
        ChannelWalk.of(Walk.rowMajor(like.shape()), channels)
                .spread(0, RowMajor.floats(inForce()), spread, spread.length);
        for (int i = 0; i < normalized.length; i++) {
            normalized[i] *= range.max() * spread[i];
        }
    }

    /* Nothing is clipped: every normalized weight lies within the codes. */
    private void tanhBackward(INDArray in, INDArray upstream, INDArray gradient) {
        TanhWeights weights = TanhWeights.of(RowMajor.floats(in));
        float[] byNormalized = RowMajor.floats(upstream);
        scaleToCodes(byNormalized, in);
        RowMajor.copyInto(weights.backward(byNormalized), gradient);
        if (scaleGradients != null) {
            scaleGradients.assign(0);
        }
    }

    @Override
    public void backward(INDArray in, INDArray upstream, INDArray gradient) {
        if (hasTanhWeights()) {
            tanhBackward(in, upstream, gradient);
            return;
        }
        StochasticQuantizer stochastic = stochastic();
        if (stochastic == null) {
            quantizer()
                    .backward(
                            in,
                            inForce(),
                            upstream,
                            gradient,
                            scaleGradients,
                            zeroPointGradient,
                            elements(in));
        } else {
            stochastic.backward(
                    in,
                    inForce(),
                    upstream,
                    gradient,
                    scaleGradients,
                    zeroPointGradient,
                    elements(in));
        }
    }

    /** LSQ's N: a scale's elements of a weight, an example's features of an activation. */
    private long elements(INDArray in) {
        return weight ? in.length() / scales.length() : in.length() / in.size(0);
    }

    private FakeQuantizer quantizer() {
        return FakeQuantizer.of(range, zeroPointCode(), estimator, channels);
    }
}
