// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import static org.dl4jquant.cuda.driver.CudaResult.check;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.util.List;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/**
 * The CUDA driver of this machine, libcuda.
 *
 * <p>It is looked for in the path that the system property {@link #PROPERTY} gives, and nowhere
 * else if there is one; else by its name, and in the folders that NVIDIA's installers, containers
 * and the Windows subsystem for Linux put it in.
 */
public final class LibCuda extends StreamCalls {

    /* JNA binds a class's native methods to one library (direct mapping), which takes half the time of
     * a call through a Function: about 0.2 microseconds a launch. A process has one driver, so this is
     * enough; a second library is refused. */

    /** The system property with the absolute path of libcuda. */
    public static final String PROPERTY = "dl4jquant.cuda.driver";

    /** The oldest CUDA whose driver runs what is compiled here: 12.0, driver 525. */
    public static final int OLDEST_VERSION = 12_000;

    private static final List<String> PLACES =
            List.of(
                    "libcuda.so.1",
                    "/usr/local/nvidia/lib64/libcuda.so.1",
                    "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
                    "/usr/lib/aarch64-linux-gnu/libcuda.so.1",
                    "/usr/lib64/libcuda.so.1",
                    "/usr/lib/wsl/lib/libcuda.so.1",
                    "nvcuda.dll");

    private static final String REMEDY =
            "Install the NVIDIA driver 525 or newer, or give the absolute path of its libcuda.so.1 in"
                    + " -D"
                    + PROPERTY;

    private static final int MAX_DYNAMIC_SHARED_BYTES = 8;
    private static final int NAME_BYTES = 256;

    private static @Nullable LibCuda bound;

    private final NativeLibrary library;
    private final ThreadLocal<LaunchArguments> launchArguments =
            ThreadLocal.withInitial(LaunchArguments::new);

    private LibCuda(NativeLibrary library) {
        this.library = library;
    }

    /**
     * {@return the machine's driver, loaded but not started}
     *
     * @throws CudaException if there is none, or if it is too old
     */
    public static LibCuda open() {
        String path = System.getProperty(PROPERTY);
        return path == null ? open(PLACES) : open(Path.of(path));
    }

    /**
     * {@return the driver in a file, loaded but not started}
     *
     * @param path libcuda
     * @throws CudaException if it cannot be loaded, or if it is too old
     * @throws IllegalStateException if the process uses another file already
     */
    public static LibCuda open(Path path) {
        return open(List.of(path.toAbsolutePath().toString()));
    }

    private static synchronized LibCuda open(List<String> places) {
        NativeLibrary library = NativeLibraries.open("The CUDA driver", places, REMEDY);
        if (bound == null) {
            requireSymbols(library);
            CudaSymbols.bind(library);
            bound = new LibCuda(library);
        }
        Require.state(
                bound.library.equals(library),
                "the driver %s was asked for, but this process uses %s; a process has one",
                library.getFile(),
                bound.library.getFile());
        return bound;
    }

    private static void requireSymbols(NativeLibrary library) {
        List<String> missing = CudaSymbols.missingFrom(library);
        if (!missing.isEmpty()) {
            throw CudaException.unusable(
                    String.format(
                            "%s has no %s: it is no CUDA driver, or one older than 525. %s",
                            library.getFile(), String.join(", ", missing), REMEDY),
                    null);
        }
    }

    /**
     * {@return whether the driver exports a function, such as one that only newer drivers have}
     *
     * @param name its exported name
     */
    public boolean exports(String name) {
        return CudaSymbols.has(library, name);
    }

    /**
     * {@inheritDoc}
     *
     * @throws CudaException if there is no GPU, or if the driver is older than {@link
     *     #OLDEST_VERSION}
     */
    @Override
    public void init() {
        check(CudaSymbols.cuInit(0), "cuInit");
        int version = version();
        if (version < OLDEST_VERSION) {
            throw CudaException.unusable(
                    String.format(
                            "the driver %s knows CUDA %d.%d, but 12.0 is needed. %s",
                            library.getFile(), version / 1000, version % 1000 / 10, REMEDY),
                    null);
        }
    }

    @Override
    public int version() {
        int[] version = new int[1];
        check(CudaSymbols.cuDriverGetVersion(version), "cuDriverGetVersion");
        return version[0];
    }

    @Override
    public int deviceCount() {
        int[] count = new int[1];
        check(CudaSymbols.cuDeviceGetCount(count), "cuDeviceGetCount");
        return count[0];
    }

    private static int device(int ordinal) {
        int[] device = new int[1];
        check(CudaSymbols.cuDeviceGet(device, ordinal), "cuDeviceGet(GPU %d)", ordinal);
        return device[0];
    }

    @Override
    public String deviceName(int device) {
        byte[] name = new byte[NAME_BYTES];
        check(
                CudaSymbols.cuDeviceGetName(name, name.length, device(device)),
                "cuDeviceGetName(GPU %d)",
                device);
        return Native.toString(name, "UTF-8");
    }

    @Override
    public int attribute(int device, DeviceAttribute attribute) {
        int[] value = new int[1];
        check(
                CudaSymbols.cuDeviceGetAttribute(value, attribute.code(), device(device)),
                "cuDeviceGetAttribute(%s of GPU %d)",
                attribute,
                device);
        return value[0];
    }

    @Override
    public long memoryBytes(int device) {
        long[] bytes = new long[1];
        check(
                CudaSymbols.cuDeviceTotalMem_v2(bytes, device(device)),
                "cuDeviceTotalMem(GPU %d)",
                device);
        return bytes[0];
    }

    @Override
    public long retainPrimaryContext(int device) {
        long[] context = new long[1];
        check(
                CudaSymbols.cuDevicePrimaryCtxRetain(context, device(device)),
                "cuDevicePrimaryCtxRetain(GPU %d)",
                device);
        return context[0];
    }

    @Override
    public void releasePrimaryContext(int device) {
        check(
                CudaSymbols.cuDevicePrimaryCtxRelease_v2(device(device)),
                "cuDevicePrimaryCtxRelease(GPU %d)",
                device);
    }

    @Override
    public void setCurrent(long context) {
        check(CudaSymbols.cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    @Override
    public void synchronize() {
        check(CudaSymbols.cuCtxSynchronize(), "cuCtxSynchronize");
    }

    @Override
    public long freeBytes() {
        long[] free = new long[1];
        check(CudaSymbols.cuMemGetInfo_v2(free, new long[1]), "cuMemGetInfo");
        return free[0];
    }

    @Override
    public long allocate(long bytes) {
        long[] address = new long[1];
        check(CudaSymbols.cuMemAlloc_v2(address, bytes), "cuMemAlloc(%d bytes)", bytes);
        return address[0];
    }

    @Override
    public void free(long address) {
        check(CudaSymbols.cuMemFree_v2(address), "cuMemFree(0x%x)", address);
    }

    @Override
    public long allocateHost(long bytes) {
        long[] address = new long[1];
        check(CudaSymbols.cuMemHostAlloc(address, bytes, 0), "cuMemHostAlloc(%d bytes)", bytes);
        return address[0];
    }

    @Override
    public void freeHost(long address) {
        check(CudaSymbols.cuMemFreeHost(address), "cuMemFreeHost(0x%x)", address);
    }

    @Override
    public void copyToDevice(long device, long host, long bytes, long stream) {
        check(
                CudaSymbols.cuMemcpyHtoDAsync_v2(device, host, bytes, stream),
                "cuMemcpyHtoDAsync(%d bytes to 0x%x)",
                bytes,
                device);
    }

    @Override
    public void copyToHost(long host, long device, long bytes, long stream) {
        check(
                CudaSymbols.cuMemcpyDtoHAsync_v2(host, device, bytes, stream),
                "cuMemcpyDtoHAsync(%d bytes from 0x%x)",
                bytes,
                device);
    }

    @Override
    public void copyOnDevice(long to, long from, long bytes, long stream) {
        check(
                CudaSymbols.cuMemcpyDtoDAsync_v2(to, from, bytes, stream),
                "cuMemcpyDtoDAsync(%d bytes from 0x%x to 0x%x)",
                bytes,
                from,
                to);
    }

    @Override
    public void fill(long device, byte value, long bytes, long stream) {
        check(
                CudaSymbols.cuMemsetD8Async(device, value, bytes, stream),
                "cuMemsetD8Async(%d bytes at 0x%x)",
                bytes,
                device);
    }

    @Override
    public long loadModule(byte[] image) {
        Require.argument(image.length > 0, "a module of 0 bytes");
        long[] module = new long[1];
        try (Memory copy = new Memory(image.length)) {
            copy.write(0, image, 0, image.length);
            check(
                    CudaSymbols.cuModuleLoadData(module, copy),
                    "cuModuleLoadData(%d bytes)",
                    image.length);
        }
        return module[0];
    }

    @Override
    public void unloadModule(long module) {
        check(CudaSymbols.cuModuleUnload(module), "cuModuleUnload");
    }

    @Override
    public long function(long module, String name) {
        long[] function = new long[1];
        check(
                CudaSymbols.cuModuleGetFunction(function, module, name),
                "cuModuleGetFunction(%s)",
                name);
        return function[0];
    }

    @Override
    public void setDynamicSharedMemory(long function, int bytes) {
        check(
                CudaSymbols.cuFuncSetAttribute(function, MAX_DYNAMIC_SHARED_BYTES, bytes),
                "cuFuncSetAttribute(%d bytes of dynamic shared memory)",
                bytes);
    }

    @Override
    public void launch(
            long function,
            int gridX,
            int gridY,
            int threads,
            int sharedBytes,
            long stream,
            long[] arguments) {
        Pointer pointers = launchArguments.get().set(arguments);
        check(
                CudaSymbols.cuLaunchKernel(
                        function, gridX, gridY, 1, threads, 1, 1, sharedBytes, stream, pointers, 0),
                "cuLaunchKernel(%d x %d blocks of %d threads, %d bytes of shared memory)",
                gridX,
                gridY,
                threads,
                sharedBytes);
    }

    @Override
    public void launchOverlapping(
            long function,
            int gridX,
            int gridY,
            int threads,
            int sharedBytes,
            long stream,
            long[] arguments) {
        LaunchArguments own = launchArguments.get();
        Pointer pointers = own.set(arguments);
        Pointer configuration = own.overlapping(gridX, gridY, threads, sharedBytes, stream);
        check(
                CudaSymbols.cuLaunchKernelEx(configuration, function, pointers, 0),
                "cuLaunchKernelEx(%d x %d blocks of %d threads, %d bytes of shared memory)",
                gridX,
                gridY,
                threads,
                sharedBytes);
    }
}
