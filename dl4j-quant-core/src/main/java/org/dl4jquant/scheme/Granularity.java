// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

/** Which numbers of a tensor share one scale. */
public enum Granularity {
    /** All of them: one scale. */
    PER_TENSOR,
    /** Those of one output channel: as many scales as the layer has output channels. */
    PER_CHANNEL
}
