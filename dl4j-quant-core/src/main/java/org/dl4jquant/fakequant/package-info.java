// SPDX-License-Identifier: Apache-2.0

/**
 * Differentiable rounding of INDArrays, and the exact arithmetic of inference on them.
 *
 * <p>In: values, scales and upstream gradients as INDArrays of any order. Out: rounded values or
 * codes, masked gradients and the gradients of scales ({@link
 * org.dl4jquant.fakequant.FakeQuantizer}, {@link org.dl4jquant.fakequant.StochasticQuantizer},
 * {@link org.dl4jquant.fakequant.HalfRounder}, {@link org.dl4jquant.fakequant.TanhWeights}), and
 * accumulators of integer layers turned into codes or values ({@link
 * org.dl4jquant.fakequant.Requantizer}). Nothing is kept between calls. Float32 arrays of the CPU
 * backend are computed in one pass over memory, all others by ND4J operations that give the same
 * numbers. Uses {@code nd}, {@code scheme}, {@code numeric}, {@code check} and ND4J.
 */
@NullMarked
package org.dl4jquant.fakequant;

import org.jspecify.annotations.NullMarked;
