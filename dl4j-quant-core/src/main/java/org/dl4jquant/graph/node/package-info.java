// SPDX-License-Identifier: Apache-2.0

/**
 * The nodes of an integer graph, one file each: the record, its checks and the rule for the type of
 * its result.
 *
 * <p>In: codes' parameters, weights, shapes. Out: immutable records that a visitor walks. A node
 * that belongs to a family says so in its type ({@link org.dl4jquant.graph.node.Weighted}, {@link
 * org.dl4jquant.graph.node.KeepsCodes}). Pure Java: uses {@code numeric} and {@code check}.
 */
@NullMarked
package org.dl4jquant.graph.node;

import org.jspecify.annotations.NullMarked;
