// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

/** Whether a step puts batches, or time steps, below one another as one larger batch. */
public enum Batches {
    /** Its result has as many batches as its inputs. */
    KEPT,

    /** It puts several below one another. */
    STACKED,

    /** It takes them apart, or joins time steps to sequences. */
    APART
}
