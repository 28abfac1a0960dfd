// SPDX-License-Identifier: Apache-2.0

/**
 * The values that say what a quantized layer rounds: {@link
 * org.dl4jquant.layer.quantizers.LayerQuantizers} by the {@link
 * org.dl4jquant.layer.quantizers.TensorRole} of each activation tensor, how each weight lies in
 * memory ({@link org.dl4jquant.layer.quantizers.WeightLayout}) and which scales it has ({@link
 * org.dl4jquant.layer.quantizers.WeightSlot}).
 *
 * <p>{@code layer} keeps them in its configuration and writes them to model files; {@code
 * layer.rounding} and {@code layer.scale} are given them and never see the configuration. Nothing
 * here computes: the names of parameters, the JSON, and a tensor as its quantizer sees it ({@link
 * org.dl4jquant.layer.quantizers.QuantizedTensor}). Uses {@code nd}, {@code scheme} and {@code
 * numeric}.
 */
@NullMarked
package org.dl4jquant.layer.quantizers;

import org.jspecify.annotations.NullMarked;
