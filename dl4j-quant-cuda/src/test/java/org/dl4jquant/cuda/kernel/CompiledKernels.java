// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.dl4jquant.cuda.driver.CompiledCuda;
import org.dl4jquant.cuda.driver.CudaCompilers;
import org.dl4jquant.cuda.driver.CudaSource;

/**
 * Compiles kernels for GPUs, by NVRTC itself; where there is none, the test is reported as not run.
 */
final class CompiledKernels {

    private static final Path MAIN = Path.of("src", "main", "cuda");
    private static final String HEADER = "device.cuh";

    private CompiledKernels() {}

    /**
     * {@return the machine code of a kernel, with the assembler's report as its log}
     *
     * @param spec the kernel
     * @param architecture what for
     */
    static CompiledCuda compile(KernelSpec spec, Architecture architecture) {
        List<String> options =
                new ArrayList<>(
                        List.of(
                                "--gpu-architecture=" + architecture.target(),
                                "-fmad=false",
                                "--std=c++17",
                                "--ptxas-options=-v"));
        spec.macros().forEach((name, value) -> options.add("-D" + name + "=" + value));
        Map<String, String> headers = Map.of(HEADER, read(HEADER));
        CudaSource source = new CudaSource(spec.file(), read(spec.file()), new TreeMap<>(headers));
        return CudaCompilers.nvrtc().compile(source, options);
    }

    private static String read(String file) {
        try {
            return Files.readString(MAIN.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
