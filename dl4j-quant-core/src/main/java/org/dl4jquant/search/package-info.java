// SPDX-License-Identifier: Apache-2.0

/**
 * Which bits for which layer.
 *
 * <p>In: a trained float network, some data, and budgets of what a deployed network may cost
 * (bytes, bit operations, measured time). Out: for each layer how much it suffers from each width,
 * and the {@code QuantSpec} whose predicted harm is the least within the budgets, solved exactly,
 * or the whole front. No candidate is trained here; {@code arbiter} does that. May use all packages
 * up to {@code onnx}, because times are those of engines.
 */
@NullMarked
package org.dl4jquant.search;

import org.jspecify.annotations.NullMarked;
