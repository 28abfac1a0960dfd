// SPDX-License-Identifier: Apache-2.0

/**
 * A trained DL4J network in, the same network with quantizers out.
 *
 * <p>In: a {@code MultiLayerNetwork} or {@code ComputationGraph}, a {@code QuantSpec}, and data
 * like those it was trained on. Out: a new network of the same kind, which trains by plain {@code
 * fit}, and a {@link org.dl4jquant.prepare.PrepareReport} with the outcome for each layer. The
 * steps: {@code LayerFusion} (which layers become one step), {@code Planner} (which tensor is
 * rounded where), {@code NetworkRebuild} (the new configuration), {@code ScaleFitting} (the
 * scales). The network that comes in is not changed. Uses {@code network}, {@code layer}, {@code
 * calibrate}, {@code nd}, {@code scheme} and {@code check}.
 */
@NullMarked
package org.dl4jquant.prepare;

import org.jspecify.annotations.NullMarked;
