// SPDX-License-Identifier: Apache-2.0

/**
 * How a quantized network is trained beyond plain {@code fit}: distillation from a teacher, stages
 * of falling precision, recovery on a small share of the data, a guard against divergence, and
 * exact resume.
 *
 * <p>In: a quantized network from {@code prepare}. What this package attaches to it are DL4J
 * listeners, so that {@code fit} stays what starts a training. Out: the same network, trained; what
 * goes into its model file is plain configuration. May use everything up to {@code prepare}.
 */
@NullMarked
package org.dl4jquant.train;

import org.jspecify.annotations.NullMarked;
