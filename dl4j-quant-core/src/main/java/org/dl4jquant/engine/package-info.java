// SPDX-License-Identifier: Apache-2.0

/**
 * The engine contract, the reference that defines it, and the check that two engines are equal.
 *
 * <p>In: an {@code IntGraph} and batches of float32 inputs. Out: float32 or code batches of its
 * outputs, or of every node. Two engines are equal when every code of every node is equal: there is
 * no tolerance. Pure Java: uses {@code graph}, {@code scheme}, {@code numeric} and {@code check}.
 */
@NullMarked
package org.dl4jquant.engine;

import org.jspecify.annotations.NullMarked;
