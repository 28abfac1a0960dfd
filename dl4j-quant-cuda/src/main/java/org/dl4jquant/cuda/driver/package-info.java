// SPDX-License-Identifier: Apache-2.0

/**
 * What touches native code: the CUDA driver, and the compilers of CUDA sources.
 *
 * <p>In: addresses, handles, bytes and sources. Out: what the driver and the compilers return, or
 * an exception that says what was called, what went wrong and what to do. {@link
 * org.dl4jquant.cuda.driver.CudaDriver} is the driver as an engine sees it, {@link
 * org.dl4jquant.cuda.driver.LibCuda} the one of the machine; {@link
 * org.dl4jquant.cuda.driver.CudaCompiler} makes machine code of a source, on machines without a GPU
 * too, by {@link org.dl4jquant.cuda.driver.Nvrtc} in the process or by {@link
 * org.dl4jquant.cuda.driver.Nvcc}. Nothing here knows of graphs or kernels. Uses JNA, and {@code
 * check} of the core module; nothing else of this module uses JNA.
 */
@NullMarked
package org.dl4jquant.cuda.driver;

import org.jspecify.annotations.NullMarked;
