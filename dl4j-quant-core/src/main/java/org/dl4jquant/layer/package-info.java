// SPDX-License-Identifier: Apache-2.0

/**
 * DL4J layers that carry quantizers: configuration and runtime side by side.
 *
 * <p>In: a DL4J layer configuration and tensor schemes, from {@code prepare}. Out: a plain DL4J
 * layer that trains with rounded weights and activations, computes in inference mode what the
 * integer engines compute, by the form ({@link org.dl4jquant.layer.integer.IntegerForm}) that gives
 * {@code lower} its nodes. The class names of this package stand in saved models: they are a file
 * format. Uses the packages {@code layer.*}, which do not know this one, {@code fakequant}, {@code
 * calibrate}, {@code nd}, {@code scheme}, {@code numeric} and {@code check}.
 */
@NullMarked
package org.dl4jquant.layer;

import org.jspecify.annotations.NullMarked;
