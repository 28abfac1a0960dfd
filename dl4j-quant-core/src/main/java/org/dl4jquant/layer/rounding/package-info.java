// SPDX-License-Identifier: Apache-2.0

/**
 * Rounding of one layer's weights and activations while it runs, forwards and back.
 *
 * <p>In: schemes and weights' layouts of {@code layer.quantizers}, and views of the network's
 * parameters, which hold the scales. Out: rounded values, and the gradients of weights, scales and
 * zero points. A {@link org.dl4jquant.layer.rounding.ValueRounder} rounds one tensor, {@link
 * org.dl4jquant.layer.rounding.ShadowWeights} all weights of a layer. Nothing here knows a layer's
 * configuration or its arithmetic. Uses {@code layer.quantizers}, {@code fakequant}, {@code nd},
 * {@code scheme}, {@code numeric} and {@code check}.
 */
@NullMarked
package org.dl4jquant.layer.rounding;

import org.jspecify.annotations.NullMarked;
