// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.GradientScale;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;

/**
 * A variant of a quantized network in a comparison: bits, estimator and training. Its first and
 * last layer have 8 bits, as in the LSQ paper.
 *
 * @param name its name in tables
 * @param bits of weights and activations in the layers between, 2 to 8
 * @param scheme of the layers between
 * @param recipe how it is trained
 */
public record Variant(String name, int bits, LayerScheme scheme, TrainingRecipe recipe) {

    public Variant {
        Objects.requireNonNull(name);
        Objects.requireNonNull(scheme);
        Objects.requireNonNull(recipe);
        Require.argument(bits >= 2 && bits <= Byte.SIZE, "%d bits; 2 to 8 are possible", bits);
    }

    /** {@return a network whose scales learn} */
    public static Variant lsq(int bits) {
        return new Variant(
                width(bits) + " LSQ", bits, LayerScheme.ofBits(bits, bits), TrainingRecipe.LABELS);
    }

    /** {@return a network with fixed scales, from the smallest and the largest value} */
    public static Variant minMax(int bits) {
        LayerScheme scheme =
                new LayerScheme(
                        fixed(TensorScheme.weights(bits)), fixed(TensorScheme.activations(bits)));
        return new Variant(width(bits) + " min-max STE", bits, scheme, TrainingRecipe.LABELS);
    }

    /** {@return this network with another training} */
    public Variant trainedBy(String by, TrainingRecipe other) {
        return new Variant(name + ", " + by, bits, scheme, other);
    }

    /** {@return this network, its scales' gradients multiplied by something else} */
    public Variant scaledBy(String factor, GradientScale gradientScale) {
        Estimator estimator = Estimator.lsq(gradientScale);
        LayerScheme scaled =
                new LayerScheme(
                        TensorScheme.weights(bits).withEstimator(estimator),
                        TensorScheme.activations(bits).withEstimator(estimator));
        return new Variant(name + ", gradients by " + factor, bits, scaled, recipe);
    }

    /** {@return the schemes of its layers} */
    public QuantSpec spec() {
        return QuantSpec.of(scheme).withFirstAndLast(LayerScheme.INT8);
    }

    /**
     * {@return the first learning rate of a ResNet: fewer bits need more change of the weights}
     *
     * @param bits of weights and activations; those of a float network count as 8
     */
    public static double rate(int bits) {
        return switch (bits) {
            case 2 -> 2e-3;
            case 3 -> 1e-3;
            default -> 5e-4;
        };
    }

    private static String width(int bits) {
        return "W%dA%d".formatted(bits, bits);
    }

    private static TensorScheme fixed(TensorScheme scheme) {
        return scheme.withEstimator(Estimator.STE).withCalibration(new CalibrationMethod.MinMax());
    }
}
