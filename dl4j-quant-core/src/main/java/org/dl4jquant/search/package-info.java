// SPDX-License-Identifier: Apache-2.0

/**
 * Which bits for which layer.
 *
 * <p>In: for each group of layers the ways in which it may be quantized, with the loss that each is
 * predicted to bring and what it costs (bytes, bit operations, time), and budgets. Out: the best
 * choice for every group. Uses nothing yet but {@code check}; may use {@code prepare} and what that
 * uses.
 */
@NullMarked
package org.dl4jquant.search;

import org.jspecify.annotations.NullMarked;
