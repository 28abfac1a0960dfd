// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The CUDA driver cannot be used, or reports an error. */
public final class CudaException extends RuntimeException {

    /** What {@link #result} is where the driver was not even asked. */
    public static final int NOT_ASKED = -1;

    /** The driver's code for too little device memory. */
    public static final int OUT_OF_MEMORY = 2;

    /** The driver's code for a machine without a GPU. */
    public static final int NO_DEVICE = 100;

    private static final long serialVersionUID = 1;

    private final int result;

    private CudaException(String message, int result, @Nullable Throwable cause) {
        super(message, cause);
        this.result = result;
    }

    /**
     * {@return an error that the driver reports, with what is usually the remedy}
     *
     * @param call what was called, such as {@code cuMemAlloc(4096 bytes)}
     * @param result what it returned, a {@code CUresult} that is not 0
     * @param name the result's name, such as {@code CUDA_ERROR_OUT_OF_MEMORY}
     * @param text the driver's text for it
     */
    public static CudaException of(String call, int result, String name, String text) {
        String message =
                String.format(Locale.ROOT, "%s failed: %s (%d), %s", call, name, result, text);
        return new CudaException(message + remedy(result), result, null);
    }

    /**
     * {@return an error before the driver was asked}
     *
     * @param message what was found, and what to do
     * @param cause why, if there is more to say
     */
    public static CudaException unusable(String message, @Nullable Throwable cause) {
        return new CudaException(message, NOT_ASKED, cause);
    }

    /** {@return the driver's {@code CUresult}, or {@link #NOT_ASKED}} */
    public int result() {
        return result;
    }

    private static String remedy(int result) {
        String remedy =
                switch (result) {
                    case OUT_OF_MEMORY ->
                            "use a smaller batch or fewer contexts, or close what else uses the GPU";
                    case 3, 4 -> "call init first, and nothing after the process began to end";
                    case 34 ->
                            "this libcuda is the CUDA toolkit's stub; install the NVIDIA driver, or"
                                    + " name its library in -D"
                                    + LibCuda.PROPERTY;
                    case NO_DEVICE ->
                            "no GPU is visible to this process; see whether nvidia-smi lists one, look"
                                    + " at CUDA_VISIBLE_DEVICES, and start containers with --gpus";
                    case 101 -> "the GPU's number is not below deviceCount()";
                    case 201 -> "make a context current in this thread first";
                    case 209 ->
                            "the machine code is for another architecture; compile it for this GPU's";
                    case 218, 222 ->
                            "the driver is older than the compiler that made this PTX; update the"
                                    + " driver, or compile to machine code (sm_XX)";
                    case 500 -> "the module has nothing of that name";
                    case 700, 716, 719 ->
                            "a kernel touched memory that is not its own; the context cannot be used"
                                    + " any more";
                    case 701 ->
                            "the launch asks for more registers or shared memory than a block can"
                                    + " have on this GPU";
                    case 803, 804 ->
                            "the driver's library and its kernel module differ; reboot, or install"
                                    + " one version of both";
                    default -> "";
                };
        return remedy.isEmpty() ? "" : "; " + remedy;
    }
}
