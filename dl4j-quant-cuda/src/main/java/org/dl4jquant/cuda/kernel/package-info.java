// SPDX-License-Identifier: Apache-2.0

/**
 * The kernels: CUDA sources with every shape as a constant, how each is launched, and what is read
 * of a compiled one.
 *
 * <p>In: a problem, such as one convolution with what is fused to it, and an architecture. Out: a
 * {@link org.dl4jquant.cuda.kernel.KernelSpec}: a source file of {@code src/main/cuda}, its
 * constants, and its launch. Nothing here needs a GPU, and nothing here calls native code. Uses
 * {@code numeric}, {@code graph}, {@code check} of the core module.
 */
@NullMarked
package org.dl4jquant.cuda.kernel;

import org.jspecify.annotations.NullMarked;
