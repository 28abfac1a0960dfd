// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.CodeRange;

/**
 * What a tensor is rounded to, apart from its scales.
 *
 * @param range the codes allowed
 * @param zeroPoint the code of the value 0, inside the range
 * @param channels which elements share a scale
 */
record Grid(CodeRange range, int zeroPoint, Channels channels) {

    Grid {
        Objects.requireNonNull(range, "range");
        Objects.requireNonNull(channels, "channels");
        Require.argument(
                range.contains(zeroPoint),
                "zero point %d is outside the codes [%d, %d]",
                zeroPoint,
                range.min(),
                range.max());
    }

    /** {@return the smallest code less the zero point (-Q_N in LSQ's paper)} */
    int lowest() {
        return range.min() - zeroPoint;
    }

    /** {@return the largest code less the zero point (Q_P in LSQ's paper)} */
    int highest() {
        return range.max() - zeroPoint;
    }

    /**
     * {@return Q_P in the gradient scale of LSQ: the codes above 0, but at least half of all codes,
     * because a zero point at the upper end would leave none}
     */
    int positiveCodes() {
        return Math.max(highest(), (range.max() - range.min()) / 2);
    }
}
