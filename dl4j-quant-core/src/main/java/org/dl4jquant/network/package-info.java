// SPDX-License-Identifier: Apache-2.0

/**
 * One view of both kinds of DL4J network, and edits of it.
 *
 * <p>In: a {@code MultiLayerNetwork} or {@code ComputationGraph}. Out: its steps by name and who
 * feeds whom ({@link org.dl4jquant.network.NetworkView}, {@link org.dl4jquant.network.Topology},
 * {@link org.dl4jquant.network.Step}), and new networks in which steps are inserted, removed,
 * replaced or split and parameters sliced, with what the updater remembers of them ({@link
 * org.dl4jquant.network.NetworkEdit}). Frozen wrappers are looked through; which layer means what
 * to quantization is not known here. May use {@code check}, {@code files}, {@code nd} and {@code
 * numeric}.
 */
@NullMarked
package org.dl4jquant.network;

import org.jspecify.annotations.NullMarked;
