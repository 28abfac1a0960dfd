// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;

/**
 * The driver's exported functions by their exported names; each returns a {@code CUresult}.
 *
 * <p>Names end in {@code _v2} where the header's macro does: a name without it would be the
 * function of an older CUDA. {@code size_t}, {@code CUdeviceptr} and handles are 64-bit.
 */
final class CudaSymbols {

    private CudaSymbols() {}

    /**
     * Binds the functions below to a library, for the whole process.
     *
     * @param library the driver
     */
    static void bind(NativeLibrary library) {
        Native.register(CudaSymbols.class, library);
    }

    /**
     * {@return the names of the functions below that a library does not have, sorted}
     *
     * @param library the driver
     */
    static List<String> missingFrom(NativeLibrary library) {
        List<String> missing = new ArrayList<>();
        for (Method method : CudaSymbols.class.getDeclaredMethods()) {
            if (Modifier.isNative(method.getModifiers()) && !has(library, method.getName())) {
                missing.add(method.getName());
            }
        }
        return missing.stream().sorted().toList();
    }

    /**
     * {@return whether a library exports a function}
     *
     * @param library the library
     * @param name the function's exported name
     */
    static boolean has(NativeLibrary library, String name) {
        try {
            library.getFunction(name);
            return true;
        } catch (UnsatisfiedLinkError e) {
            return false;
        }
    }

    static native int cuInit(int flags);

    static native int cuDriverGetVersion(int[] version);

    static native int cuGetErrorName(int result, long[] text);

    static native int cuGetErrorString(int result, long[] text);

    static native int cuDeviceGetCount(int[] count);

    static native int cuDeviceGet(int[] device, int ordinal);

    static native int cuDeviceGetName(byte[] name, int bytes, int device);

    static native int cuDeviceGetAttribute(int[] value, int attribute, int device);

    static native int cuDeviceTotalMem_v2(long[] bytes, int device);

    static native int cuDevicePrimaryCtxRetain(long[] context, int device);

    static native int cuDevicePrimaryCtxRelease_v2(int device);

    static native int cuCtxSetCurrent(long context);

    static native int cuCtxSynchronize();

    static native int cuMemGetInfo_v2(long[] free, long[] total);

    static native int cuMemAlloc_v2(long[] address, long bytes);

    static native int cuMemFree_v2(long address);

    static native int cuMemHostAlloc(long[] address, long bytes, int flags);

    static native int cuMemFreeHost(long address);

    static native int cuMemcpyHtoDAsync_v2(long device, long host, long bytes, long stream);

    static native int cuMemcpyDtoHAsync_v2(long host, long device, long bytes, long stream);

    static native int cuMemcpyDtoDAsync_v2(long to, long from, long bytes, long stream);

    static native int cuMemsetD8Async(long device, byte value, long bytes, long stream);

    static native int cuModuleLoadData(long[] module, Pointer image);

    static native int cuModuleUnload(long module);

    static native int cuModuleGetFunction(long[] function, long module, String name);

    static native int cuFuncSetAttribute(long function, int attribute, int value);

    static native int cuLaunchKernel(
            long function,
            int gridX,
            int gridY,
            int gridZ,
            int blockX,
            int blockY,
            int blockZ,
            int sharedBytes,
            long stream,
            Pointer arguments,
            long extra);

    static native int cuLaunchKernelEx(
            Pointer configuration, long function, Pointer arguments, long extra);

    static native int cuStreamCreate(long[] stream, int flags);

    static native int cuStreamDestroy_v2(long stream);

    static native int cuStreamSynchronize(long stream);

    static native int cuStreamBeginCapture_v2(long stream, int mode);

    static native int cuStreamEndCapture(long stream, long[] graph);

    static native int cuGraphInstantiateWithFlags(long[] executable, long graph, long flags);

    static native int cuGraphDestroy(long graph);

    static native int cuGraphLaunch(long executable, long stream);

    static native int cuGraphExecDestroy(long executable);

    static native int cuEventCreate(long[] event, int flags);

    static native int cuEventDestroy_v2(long event);

    static native int cuEventRecord(long event, long stream);

    static native int cuEventSynchronize(long event);

    static native int cuEventElapsedTime(float[] milliseconds, long start, long end);
}
