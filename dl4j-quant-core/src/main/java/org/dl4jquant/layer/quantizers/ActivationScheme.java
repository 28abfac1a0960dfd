// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.scheme.Granularity;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.StrictScalars;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.annotation.JsonIgnore;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * How one activation tensor is quantized, with what follows from its place in the network.
 *
 * @param scheme the wish
 * @param signed whether its codes may be negative; false wherever the tensor cannot be
 */
public record ActivationScheme(
        TensorScheme scheme,
        @JsonDeserialize(using = StrictScalars.OfBoolean.class) boolean signed) {

    /** Checks that there is one scale for the whole tensor, unless it is found at run time. */
    public ActivationScheme {
        Objects.requireNonNull(scheme, "scheme");
        Require.argument(
                scheme.granularity() == Granularity.PER_TENSOR || scheme.runtimeScale() != null,
                "an activation has one scale for the whole tensor, not %s",
                scheme.granularity());
    }

    /**
     * {@return the scheme of an input whose scales are found at run time, one for each row: one
     * example, or one step of a sequence (dynamic quantization)}
     */
    public static ActivationScheme dynamic() {
        return new ActivationScheme(TensorScheme.dynamic(), true);
    }

    /** {@return which values share a scale that is found at run time; null if none is} */
    public @Nullable RuntimeScale runtimeScale() {
        return scheme.runtimeScale();
    }

    /**
     * {@return whether the tensor's codes have a scale that calibration finds and a layer holds}
     */
    public boolean hasScale() {
        return isInteger() && runtimeScale() == null;
    }

    /** {@return whether the tensor is rounded to integer codes, not to another number format} */
    @JsonIgnore
    public boolean isInteger() {
        return scheme.format() instanceof IntFormat;
    }

    /** {@return whether the value 0 has a code of its own that calibration finds} */
    @JsonIgnore
    public boolean hasZeroPoint() {
        return hasScale() && scheme.symmetry() == Symmetry.ASYMMETRIC;
    }

    /**
     * {@return the codes that the tensor may hold}
     *
     * @throws IllegalStateException if the format is not integer
     */
    public CodeRange range() {
        Require.state(isInteger(), "%s has no codes", scheme.format());
        int bits = scheme.format().bitsPerNumber();
        return signed ? CodeRange.signed(bits) : CodeRange.unsigned(bits);
    }
}
