// SPDX-License-Identifier: Apache-2.0

/**
 * The recurrent layers of the integer contract: sums of products of codes, pre-activations of 12
 * bits, gates by tables, memory cells of 16 bits, a hidden state of 8 bits.
 *
 * <p>In: weights, scales, functions, codes of a sequence. Out: codes of the hidden state. The
 * network's own inference and the reference engine run the same loop. Pure Java: uses {@code
 * numeric} and {@code check}.
 */
@NullMarked
package org.dl4jquant.numeric.recurrent;

import org.jspecify.annotations.NullMarked;
