// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.cuda.driver.CompiledCuda;
import org.dl4jquant.cuda.driver.CudaCompilers;
import org.dl4jquant.cuda.driver.CudaSource;

/**
 * Compiles kernels for GPUs, by NVRTC itself; where there is none, the test is reported as not run.
 */
public final class CompiledKernels {

    private CompiledKernels() {}

    /**
     * {@return the machine code of a kernel, with the assembler's report as its log}
     *
     * @param spec the kernel
     * @param architecture what for
     */
    public static CompiledCuda compile(KernelSpec spec, Architecture architecture) {
        List<String> options = new ArrayList<>(KernelSources.options(spec, architecture));
        options.add("--ptxas-options=-v");
        KernelSources sources = KernelSources.of(spec.file());
        CudaSource source = new CudaSource(spec.file(), sources.text(), sources.headers());
        return CudaCompilers.nvrtc().compile(source, options);
    }
}
