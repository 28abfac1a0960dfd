// SPDX-License-Identifier: Apache-2.0

/**
 * DL4J's self-attention with a pass of its own, in which the factors of the inner products are
 * rounded.
 *
 * <p>In: a running layer's configuration and parameters, and the rounders of {@code layer.rounding}
 * ({@link org.dl4jquant.layer.attention.AttentionRounding}). Out: a DL4J layer ({@link
 * org.dl4jquant.layer.attention.RoundedAttention}) with forward and backward pass. Uses {@code
 * layer.rounding}, {@code layer.quantizers}, {@code nd} and {@code check}.
 */
@NullMarked
package org.dl4jquant.layer.attention;

import org.jspecify.annotations.NullMarked;
