// SPDX-License-Identifier: Apache-2.0

/**
 * The one bridge from a quantized DL4J network to the integer graph.
 *
 * <p>In: a network that {@code prepare} made, trained or not. Out: an {@code IntGraph} whose nodes
 * bear the names of the layers whose results they compute. A layer that has no integer form is
 * refused by name, with what to do; nothing is approximated here, since the layers have already
 * computed their integers ({@link org.dl4jquant.layer.IntegerParameters}). Uses {@code layer},
 * {@code graph}, {@code numeric} and {@code check}.
 */
@NullMarked
package org.dl4jquant.lower;

import org.jspecify.annotations.NullMarked;
