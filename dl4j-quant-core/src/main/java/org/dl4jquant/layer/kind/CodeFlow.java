// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

/** The relation of a step's result to the codes that the step reads. */
public enum CodeFlow {

    /** Multiplies its input by weights that may be rounded; the result has a scale of its own. */
    COMPUTES,

    /** Looks its input up as indices, in weights that may be rounded. */
    READS_INDICES,

    /** Moves or repeats elements, or adds zeros: codes pass and keep their scale. */
    MOVES,

    /** Picks the largest of each window: codes pass and keep their scale. */
    PICKS,

    /** Averages or adds codes to codes of another scale. */
    AVERAGES,

    /** Divides codes by a measure of their size, to codes of another scale. */
    NORMALIZES,

    /** Adds tensors of different scales to codes of one scale; rounds nothing it reads. */
    ADDS,

    /**
     * Combines tensors of different scales place by place to codes of one scale, other than by
     * adding; rounds nothing it reads.
     */
    COMBINES,

    /** Concatenates tensors of different scales to codes of one scale; rounds nothing it reads. */
    CONCATENATES,

    /** Makes other values without weights, such as those of a function. */
    RESCALES,

    /** Is the loss, which takes values in float. */
    LOSS,

    /** Computes something that is not known to work on codes, and stays in float. */
    UNKNOWN;

    /** {@return whether the step has weights that may be rounded} */
    public boolean hasWeights() {
        return this == COMPUTES || this == READS_INDICES;
    }

    /** {@return whether codes pass through the step and mean the same after it} */
    public boolean keepsCodes() {
        return this == MOVES || this == PICKS;
    }

    /** {@return whether the step makes values without weights that are not codes of its input} */
    public boolean makesValues() {
        return joins() || this == RESCALES || sumsCodes();
    }

    /**
     * {@return whether the step sums codes without weights, so that it reads and makes nothing
     * else}
     */
    public boolean sumsCodes() {
        return this == AVERAGES || this == NORMALIZES;
    }

    /** {@return whether the step makes one tensor of several, which have scales of their own} */
    public boolean joins() {
        return this == ADDS || this == COMBINES || this == CONCATENATES;
    }
}
