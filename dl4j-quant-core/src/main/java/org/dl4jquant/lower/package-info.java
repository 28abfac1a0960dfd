// SPDX-License-Identifier: Apache-2.0

/**
 * The walk over a quantized DL4J network that makes an integer graph of it.
 *
 * <p>In: a network that {@code prepare} made, trained or not. Out: an {@code IntGraph} whose nodes
 * have the names of the layers whose results they compute. Each step's form ({@link
 * org.dl4jquant.layer.integer.IntegerForm}), with which the network itself infers, gives its nodes;
 * nothing is approximated here. Steps without an integer form are refused by name, all at once,
 * with a remedy for each.
 */
@NullMarked
package org.dl4jquant.lower;

import org.jspecify.annotations.NullMarked;
