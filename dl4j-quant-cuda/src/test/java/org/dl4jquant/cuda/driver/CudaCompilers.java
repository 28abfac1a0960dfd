// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import org.junit.jupiter.api.Assumptions;

/** The compilers that tests may use; where there is none, the test is reported as not run. */
public final class CudaCompilers {

    private CudaCompilers() {}

    /** {@return NVRTC: on Linux for x86-64 it is in a jar, so there it must be found} */
    public static Nvrtc nvrtc() {
        try {
            return Nvrtc.find();
        } catch (CompilationException e) {
            boolean inJar =
                    System.getProperty("os.name").equals("Linux")
                            && System.getProperty("os.arch").equals("amd64");
            if (inJar) {
                throw e;
            }
            return Assumptions.abort("not run: " + e.getMessage());
        }
    }

    /** {@return nvcc} */
    public static Nvcc nvcc() {
        try {
            return Nvcc.open("nvcc");
        } catch (CompilationException e) {
            return Assumptions.abort("not run: " + e.getMessage());
        }
    }
}
