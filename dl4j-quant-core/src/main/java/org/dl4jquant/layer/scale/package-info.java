// SPDX-License-Identifier: Apache-2.0

/**
 * Scales and zero points as parameters of a network: which ones a layer has ({@link
 * org.dl4jquant.layer.scale.ScaleParameter}), where they start, which updater moves them and how
 * far, their hand-over to another precision, and how a layer reads those of another one ({@link
 * org.dl4jquant.layer.scale.ScaleLinks}).
 *
 * <p>In: values of {@code layer.quantizers} and views of the network's parameters and gradients.
 * Out: the same views, changed in place. Uses {@code layer.rounding}, {@code layer.quantizers},
 * {@code nd}, {@code scheme}, {@code numeric} and {@code check}.
 */
@NullMarked
package org.dl4jquant.layer.scale;

import org.jspecify.annotations.NullMarked;
