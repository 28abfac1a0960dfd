// SPDX-License-Identifier: Apache-2.0

/**
 * DL4J's recurrent layers with a time loop of their own, in which the hidden state is rounded.
 *
 * <p>In: a running layer's configuration and parameters, and the rounders of {@code layer.rounding}
 * ({@link org.dl4jquant.layer.recurrent.HiddenState}). Out: a DL4J layer, made by {@link
 * org.dl4jquant.layer.recurrent.RoundedRecurrence}, with forward and backward pass. Uses {@code
 * layer.rounding}, {@code layer.quantizers}, {@code nd} and {@code check}.
 */
@NullMarked
package org.dl4jquant.layer.recurrent;

import org.jspecify.annotations.NullMarked;
