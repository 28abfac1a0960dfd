// SPDX-License-Identifier: Apache-2.0

/**
 * The arithmetic that simulator, reference engine and kernels share bit for bit.
 *
 * <p>In: floats, codes, scales. Out: codes and floats, and the weights and tables made of them. A
 * <em>value</em> is a real number, a <em>code</em> the integer that stands for it, a <em>scale</em>
 * the units per code. Everything here is IEEE 754 binary32 with rounding to nearest, ties to even;
 * Java 17 evaluates floating point strictly, so the results are the same on every machine. What
 * computes nothing and only moves elements is an {@link org.dl4jquant.numeric.IndexMap}. Pure Java:
 * uses {@code check} only.
 */
@NullMarked
package org.dl4jquant.numeric;

import org.jspecify.annotations.NullMarked;
