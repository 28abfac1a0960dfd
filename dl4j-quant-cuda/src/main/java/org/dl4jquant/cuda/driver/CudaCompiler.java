// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import java.util.List;

/**
 * Compiles CUDA sources to machine code; needs no GPU and no driver. May be called from several
 * threads at once. One source, with the same options and by the same version, becomes the same
 * bytes each time.
 */
public interface CudaCompiler {

    /** {@return its name and version, such as {@code NVRTC 12.9}} */
    String version();

    /**
     * {@return the architectures that it compiles for, ascending, such as 75 of sm_75; where it has
     * variants, such as sm_90a, they are not listed}
     */
    List<Integer> architectures();

    /**
     * Compiles a source to a cubin: machine code for one architecture, an ELF file.
     *
     * @param source the source and its headers
     * @param options as NVRTC has them, such as {@code --gpu-architecture=sm_80} and {@code
     *     -DNAME=VALUE}; the architecture must be among them, as sm_XX
     * @return the machine code and what the compiler said
     * @throws CompilationException if the compiler refuses the source or an option
     */
    CompiledCuda compile(CudaSource source, List<String> options);
}
