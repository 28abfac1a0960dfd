// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.annotation.JsonIgnore;

/**
 * The number formats that a whole network trains with for a while, as a stage on the way to the
 * formats that its layers were prepared for.
 *
 * <p>A precision never makes a tensor coarser than its layer's own scheme: a layer that was
 * prepared for 8 bits keeps them while others go to 4, one that was prepared for half precision
 * never becomes integer, and a tensor that was left in float stays there.
 *
 * @param weights the numbers that weights are rounded to; null leaves them in float
 * @param activations the numbers that activations are rounded to; null leaves them in float
 */
public record Precision(@Nullable NumberFormat weights, @Nullable NumberFormat activations) {

    /** Nothing is rounded. */
    public static final Precision FLOAT = new Precision(null, null);

    /** Weights and activations are rounded to half precision and back. */
    public static final Precision FP16 = new Precision(new Fp16Format(), new Fp16Format());

    /** 8-bit weights and activations. */
    public static final Precision INT8 = ofBits(8, 8);

    /** 4-bit weights and activations. */
    public static final Precision INT4 = ofBits(4, 4);

    /**
     * {@return integers of two widths}
     *
     * @param weightBits the weights' width, 2 to 8
     * @param activationBits the activations' width, 2 to 8
     */
    public static Precision ofBits(int weightBits, int activationBits) {
        return new Precision(new IntFormat(weightBits), new IntFormat(activationBits));
    }

    /** {@return whether weights and activations are integers, as an integer graph needs them} */
    @JsonIgnore
    public boolean isInteger() {
        return weights instanceof IntFormat && activations instanceof IntFormat;
    }

    /**
     * {@return how a weight is rounded at this precision; null if it is not}
     *
     * @param prepared the scheme that its layer was prepared for; null if it stays in float
     */
    public @Nullable TensorScheme ofWeights(@Nullable TensorScheme prepared) {
        return finer(prepared, weights);
    }

    /**
     * {@return how an activation is rounded at this precision; null if it is not}
     *
     * @param prepared the scheme that it was prepared for; null if it stays in float
     */
    public @Nullable TensorScheme ofActivations(@Nullable TensorScheme prepared) {
        return finer(prepared, activations);
    }

    private static @Nullable TensorScheme finer(
            @Nullable TensorScheme prepared, @Nullable NumberFormat wanted) {
        if (prepared == null || wanted == null) {
            return null;
        }
        if (wanted.bitsPerNumber() <= prepared.format().bitsPerNumber()) {
            return prepared;
        }
        if (prepared.runtimeScale() != null) {
            return TensorScheme.INT8_ACTIVATIONS.withFormat(wanted).withEstimator(Estimator.STE);
        }
        TensorScheme finer =
                wanted instanceof IntFormat
                        ? prepared
                        : prepared.withRounding(CodeRounding.NEAREST);
        return finer.withFormat(wanted);
    }

    /** {@return for example FLOAT, FP16, INT8 or W4A8} */
    @Override
    public String toString() {
        if (weights instanceof IntFormat w && activations instanceof IntFormat a) {
            return w.bits() == a.bits() ? "INT" + w.bits() : "W" + w.bits() + "A" + a.bits();
        }
        String ofWeights = name(weights);
        String ofActivations = name(activations);
        return ofWeights.equals(ofActivations)
                ? ofWeights
                : "weights " + ofWeights + ", activations " + ofActivations;
    }

    private static String name(@Nullable NumberFormat format) {
        if (format == null) {
            return "FLOAT";
        }
        return format instanceof IntFormat integer ? "INT" + integer.bits() : "FP16";
    }
}
