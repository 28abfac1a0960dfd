// SPDX-License-Identifier: Apache-2.0

/**
 * From statistics to scales.
 *
 * <p>In: the values of a tensor, batch by batch, into {@link
 * org.dl4jquant.calibrate.TensorStatistics}, or a weight's channels. Out: scales and zero points,
 * by the method that a scheme names. Pure Java: uses {@code scheme}, {@code numeric} and {@code
 * check}.
 */
@NullMarked
package org.dl4jquant.calibrate;

import org.jspecify.annotations.NullMarked;
