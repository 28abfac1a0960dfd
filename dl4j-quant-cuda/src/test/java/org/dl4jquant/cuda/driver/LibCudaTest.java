// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** The binding calls the driver as cuda.h declares it, and says what the driver's errors mean. */
@Isolated("sets the system property that says where the library is")
final class LibCudaTest {

    private static final long CONTEXT = 0x7000000001L;
    private static final long MODULE = 0x7000000002L;
    private static final long FUNCTION = 0x7000000003L;
    private static final long STREAM = 0x7000000004L;
    private static final long GRAPH = 0x7000000006L;
    private static final long EVENT = 0x7000000007L;

    private static final String INSTALL =
            " Install the NVIDIA driver 525 or newer, or give the absolute path of its"
                    + " libcuda.so.1 in -Ddl4jquant.cuda.driver";

    @TempDir static Path folder;

    private static Path file;
    private static CudaDriver driver;
    private StubDriver stub;

    @BeforeAll
    static void bind() {
        file = StubDriver.compile(folder);
        driver = StubDriver.load(file).bound();
    }

    @BeforeEach
    void forgetCalls() {
        stub = StubDriver.load(file);
    }

    private void assertCalls(String... calls) {
        assertEquals(List.of(calls), stub.calls());
    }

    @Test
    void startsTheDriverAndAsksForItsVersion() {
        driver.init();
        assertEquals(12090, driver.version());
        assertCalls("cuInit(0)", "cuDriverGetVersion()", "cuDriverGetVersion()");
    }

    @Test
    void describesDevicesByTheirOrdinal() {
        assertEquals(2, driver.deviceCount());
        assertEquals("Stub 41", driver.deviceName(1));
        assertEquals(1016, driver.attribute(0, DeviceAttribute.MULTIPROCESSORS));
        assertEquals(1038, driver.attribute(0, DeviceAttribute.L2_CACHE_BYTES));
        assertEquals(150754820096L, driver.memoryBytes(1));
        assertCalls(
                "cuDeviceGetCount()",
                "cuDeviceGet(1)",
                "cuDeviceGetName(256, 41)",
                "cuDeviceGet(0)",
                "cuDeviceGetAttribute(16, 40)",
                "cuDeviceGet(0)",
                "cuDeviceGetAttribute(38, 40)",
                "cuDeviceGet(1)",
                "cuDeviceTotalMem_v2(41)");
    }

    @Test
    void holdsTheDevicesPrimaryContext() {
        assertEquals(CONTEXT, driver.retainPrimaryContext(0));
        driver.setCurrent(CONTEXT);
        driver.synchronize();
        assertEquals(5000000000L, driver.freeBytes());
        driver.releasePrimaryContext(0);
        assertCalls(
                "cuDeviceGet(0)",
                "cuDevicePrimaryCtxRetain(40)",
                "cuCtxSetCurrent(0x7000000001)",
                "cuCtxSynchronize()",
                "cuMemGetInfo_v2()",
                "cuDeviceGet(0)",
                "cuDevicePrimaryCtxRelease_v2(40)");
    }

    @Test
    void copiesWhatABuffersPositionAndLimitEnclose() {
        long memory = driver.allocate(6);
        driver.fill(memory, (byte) -1, 6, STREAM);
        ByteBuffer host = ByteBuffer.allocateDirect(8).put(new byte[] {0, 0, 1, 2, 3, 4, 0, 0});
        driver.copyToDevice(memory + 1, host.position(2).limit(6), STREAM);
        ByteBuffer back = ByteBuffer.allocateDirect(6);
        driver.copyToHost(back, memory, 0);
        driver.free(memory);
        byte[] bytes = new byte[6];
        back.get(bytes);
        assertArrayEquals(new byte[] {-1, 1, 2, 3, 4, -1}, bytes);
        assertEquals(2, host.position());
        assertCalls(
                "cuMemAlloc_v2(6)",
                "cuMemsetD8Async(255, 6, 0x7000000004)",
                "cuMemcpyHtoDAsync_v2(4, 0x7000000004)",
                "cuMemcpyDtoHAsync_v2(6, (nil))",
                "cuMemFree_v2(address)");
    }

    @Test
    void copiesOnTheDevice() {
        long memory = driver.allocate(6);
        driver.fill(memory, (byte) 5, 3, 0);
        driver.fill(memory + 3, (byte) 7, 3, 0);
        driver.copyOnDevice(memory, memory + 4, 2, STREAM);
        ByteBuffer back = ByteBuffer.allocateDirect(6);
        driver.copyToHost(back, memory, 0);
        driver.free(memory);
        byte[] bytes = new byte[6];
        back.get(bytes);
        assertArrayEquals(new byte[] {7, 7, 5, 7, 7, 7}, bytes);
        assertTrue(stub.calls().contains("cuMemcpyDtoDAsync_v2(2, 0x7000000004)"));
    }

    @Test
    void givesHostMemoryThatBuffersView() {
        long memory = driver.allocateHost(12);
        ByteBuffer view = HostMemory.view(memory, 12);
        assertEquals(12, view.putInt(0x01020304).capacity());
        assertEquals(4, view.get(0));
        assertEquals(memory + 4, HostMemory.address(view));
        driver.freeHost(memory);
        assertCalls("cuMemHostAlloc(12, 0)", "cuMemFreeHost(address)");
    }

    @Test
    void loadsModulesAndLooksUpTheirKernels() {
        byte[] image = "machine code\0".getBytes(StandardCharsets.UTF_8);
        assertEquals(MODULE, driver.loadModule(image));
        assertEquals(FUNCTION, driver.function(MODULE, "q_kernel"));
        driver.setDynamicSharedMemory(FUNCTION, 100_000);
        driver.unloadModule(MODULE);
        assertCalls(
                "cuModuleLoadData(machine code)",
                "cuModuleGetFunction(0x7000000002, q_kernel)",
                "cuFuncSetAttribute(0x7000000003, 8, 100000)",
                "cuModuleUnload(0x7000000002)");
    }

    @Test
    void launchesWithEveryArgument() {
        stub.launchArguments(3);
        driver.launch(FUNCTION, 5, 6, 128, 4096, STREAM, new long[] {-1, Long.MAX_VALUE, 1L << 40});
        assertCalls(
                "cuLaunchKernel(0x7000000003, 5 6 1, 128 1 1, 4096, 0x7000000004,"
                        + " [ -1 9223372036854775807 1099511627776 ], (nil))");
        stub.launchArguments(40);
        driver.launch(FUNCTION, 1, 1, 32, 0, 0, LongStream.range(0, 40).toArray());
        String last = stub.calls().get(0);
        assertTrue(last.contains("[ 0 1 2 3 ") && last.contains(" 38 39 ]"), last);
    }

    @Test
    void launchesWhatMayBeginEarlier() {
        for (int i = 0; i < 2; i++) {
            stub.launchArguments(2);
            driver.launchOverlapping(FUNCTION, 5, 6, 128, 4096 + i, STREAM, new long[] {7, i});
            assertCalls(
                    "cuLaunchKernelEx({5 6 1, 128 1 1, "
                            + (4096 + i)
                            + ", 0x7000000004, 6=1}, 0x7000000003, [ 7 "
                            + i
                            + " ], (nil))");
        }
    }

    @Test
    void capturesAStreamAsAGraph() {
        assertEquals(STREAM, driver.createStream());
        driver.beginCapture(STREAM);
        assertEquals(GRAPH, driver.endCapture(STREAM));
        driver.launchGraph(GRAPH, STREAM);
        driver.synchronizeStream(STREAM);
        driver.destroyGraph(GRAPH);
        driver.destroyStream(STREAM);
        assertCalls(
                "cuStreamCreate(1)",
                "cuStreamBeginCapture_v2(0x7000000004, 1)",
                "cuStreamEndCapture(0x7000000004)",
                "cuGraphInstantiateWithFlags(0x7000000005, 0)",
                "cuGraphDestroy(0x7000000005)",
                "cuGraphLaunch(0x7000000006, 0x7000000004)",
                "cuStreamSynchronize(0x7000000004)",
                "cuGraphExecDestroy(0x7000000006)",
                "cuStreamDestroy_v2(0x7000000004)");
    }

    @Test
    void destroysTheRecordingThatCannotBeInstantiated() {
        stub.fail("cuGraphInstantiateWithFlags", 999);
        assertThrows(CudaException.class, () -> driver.endCapture(STREAM));
        assertEquals("cuGraphDestroy(0x7000000005)", stub.calls().get(2));
    }

    @Test
    void measuresTimeBetweenEvents() {
        assertEquals(EVENT, driver.createEvent());
        driver.recordEvent(EVENT, STREAM);
        driver.synchronizeEvent(EVENT);
        assertEquals(1.5f, driver.elapsedMillis(EVENT, EVENT));
        driver.destroyEvent(EVENT);
        assertCalls(
                "cuEventCreate(0)",
                "cuEventRecord(0x7000000007, 0x7000000004)",
                "cuEventSynchronize(0x7000000007)",
                "cuEventElapsedTime(0x7000000007, 0x7000000007)",
                "cuEventDestroy_v2(0x7000000007)");
    }

    @Test
    void saysWhatToDoWhenMemoryRunsOut() {
        stub.fail("cuMemAlloc_v2", 2);
        CudaException error = assertThrows(CudaException.class, () -> driver.allocate(1L << 40));
        assertEquals(
                "cuMemAlloc(1099511627776 bytes) failed: CUDA_ERROR_OUT_OF_MEMORY (2), out of"
                        + " memory; use a smaller batch or fewer contexts, or close what else uses"
                        + " the GPU",
                error.getMessage());
        assertEquals(CudaException.OUT_OF_MEMORY, error.result());
    }

    @Test
    void saysWhatToDoWithoutAGpu() {
        stub.fail("cuInit", 100);
        CudaException error = assertThrows(CudaException.class, driver::init);
        assertEquals(
                "cuInit failed: CUDA_ERROR_NO_DEVICE (100), no CUDA-capable device is detected; no"
                        + " GPU is visible to this process; see whether nvidia-smi lists one, look"
                        + " at CUDA_VISIBLE_DEVICES, and start containers with --gpus",
                error.getMessage());
        assertEquals(CudaException.NO_DEVICE, error.result());
    }

    @Test
    void saysWhatToDoWithADriverThatIsTooOld() {
        stub.version(11040);
        CudaException error = assertThrows(CudaException.class, driver::init);
        assertEquals(
                "the driver " + file + " knows CUDA 11.4, but 12.0 is needed." + INSTALL,
                error.getMessage());
        assertEquals(CudaException.NOT_ASKED, error.result());
    }

    @Test
    void saysSoWhenTheDriverHasNoNameForAnError() {
        stub.fail("cuCtxSynchronize", 12345);
        assertEquals(
                "cuCtxSynchronize failed: an error that this driver has no name for (12345), no"
                        + " text",
                assertThrows(CudaException.class, driver::synchronize).getMessage());
    }

    @Test
    void reportsTheFailureOfEveryFunction() {
        assertFails("cuDriverGetVersion", CudaDriver::version);
        assertFails("cuDeviceGetCount", CudaDriver::deviceCount);
        assertFails("cuDeviceGet", d -> d.deviceName(0));
        assertFails("cuDeviceGetName", d -> d.deviceName(0));
        assertFails("cuDeviceGetAttribute", d -> d.attribute(0, DeviceAttribute.MULTIPROCESSORS));
        assertFails("cuDeviceTotalMem_v2", d -> d.memoryBytes(0));
        assertFails("cuDevicePrimaryCtxRetain", d -> d.retainPrimaryContext(0));
        assertFails("cuDevicePrimaryCtxRelease_v2", d -> d.releasePrimaryContext(0));
        assertFails("cuCtxSetCurrent", d -> d.setCurrent(CONTEXT));
        assertFails("cuMemGetInfo_v2", CudaDriver::freeBytes);
        assertFails("cuMemFree_v2", d -> d.free(0));
        assertFails("cuMemHostAlloc", d -> d.allocateHost(1));
        assertFails("cuMemFreeHost", d -> d.freeHost(0));
        ByteBuffer host = ByteBuffer.allocateDirect(0);
        assertFails("cuMemcpyHtoDAsync_v2", d -> d.copyToDevice(0, host, 0));
        assertFails("cuMemcpyDtoHAsync_v2", d -> d.copyToHost(host, 0, 0));
        assertFails("cuMemcpyDtoDAsync_v2", d -> d.copyOnDevice(0, 0, 0, 0));
        assertFails("cuMemsetD8Async", d -> d.fill(0, (byte) 0, 0, 0));
        assertFails("cuModuleLoadData", d -> d.loadModule(new byte[1]));
        assertFails("cuModuleUnload", d -> d.unloadModule(MODULE));
        assertFails("cuModuleGetFunction", d -> d.function(MODULE, "k"));
        assertFails("cuFuncSetAttribute", d -> d.setDynamicSharedMemory(FUNCTION, 1));
        assertFails("cuLaunchKernel", d -> d.launch(FUNCTION, 1, 1, 32, 0, 0, new long[0]));
        assertFails(
                "cuLaunchKernelEx",
                d -> d.launchOverlapping(FUNCTION, 1, 1, 32, 0, 0, new long[0]));
        assertFails("cuStreamCreate", CudaDriver::createStream);
        assertFails("cuStreamDestroy_v2", d -> d.destroyStream(STREAM));
        assertFails("cuStreamSynchronize", d -> d.synchronizeStream(STREAM));
        assertFails("cuStreamBeginCapture_v2", d -> d.beginCapture(STREAM));
        assertFails("cuStreamEndCapture", d -> d.endCapture(STREAM));
        assertFails("cuGraphDestroy", d -> d.endCapture(STREAM));
        assertFails("cuGraphLaunch", d -> d.launchGraph(GRAPH, STREAM));
        assertFails("cuGraphExecDestroy", d -> d.destroyGraph(GRAPH));
        assertFails("cuEventCreate", CudaDriver::createEvent);
        assertFails("cuEventDestroy_v2", d -> d.destroyEvent(EVENT));
        assertFails("cuEventRecord", d -> d.recordEvent(EVENT, STREAM));
        assertFails("cuEventSynchronize", d -> d.synchronizeEvent(EVENT));
        assertFails("cuEventElapsedTime", d -> d.elapsedMillis(EVENT, EVENT));
    }

    private void assertFails(String function, Consumer<CudaDriver> use) {
        stub.fail(function, 700);
        CudaException error = assertThrows(CudaException.class, () -> use.accept(driver), function);
        String shown = function.replace("_v2", "");
        assertTrue(error.getMessage().startsWith(shown), error.getMessage());
        assertTrue(error.getMessage().contains("(700)"), error.getMessage());
        stub.calls();
    }

    @Test
    void saysWhereItLookedForAMissingLibrary() {
        Path nowhere = folder.resolve("nowhere").resolve("libcuda.so.1");
        CudaException error = assertThrows(CudaException.class, () -> StubDriver.open(nowhere));
        String message = error.getMessage();
        assertTrue(
                message.startsWith("The CUDA driver cannot be loaded; tried " + nowhere + " ("),
                message);
        assertTrue(message.endsWith(")." + INSTALL), message);
    }

    @Test
    void looksNowhereElseWhenAPathIsGiven() throws Exception {
        Path given = folder.resolve("given.so");
        System.setProperty(LibCuda.PROPERTY, given.toString());
        try {
            Throwable error =
                    assertThrows(
                                    InvocationTargetException.class,
                                    () -> driver.getClass().getMethod("open").invoke(null))
                            .getCause();
            assertTrue(error.getMessage().contains("; tried " + given + " ("), error.toString());
        } finally {
            System.clearProperty(LibCuda.PROPERTY);
        }
    }

    @Test
    void namesTheFunctionThatALibraryLacks() {
        Path old = StubDriver.compile(folder, "-DWITHOUT_GRAPHS");
        assertEquals(
                old
                        + " has no cuGraphInstantiateWithFlags: it is no CUDA driver, or one older"
                        + " than 525."
                        + INSTALL,
                assertThrows(CudaException.class, () -> StubDriver.open(old)).getMessage());
    }

    @Test
    void refusesASecondDriver(@TempDir Path other) throws Exception {
        Path second = StubDriver.compile(other);
        Object rejected =
                assertThrows(
                                InvocationTargetException.class,
                                () ->
                                        driver.getClass()
                                                .getMethod("open", Path.class)
                                                .invoke(null, second))
                        .getCause();
        assertEquals(
                IllegalStateException.class.getName()
                        + ": the driver "
                        + second
                        + " was asked for, but this process uses "
                        + file
                        + "; a process has one",
                rejected.toString());
    }

    @Test
    void knowsWhatElseTheDriverExports() throws Exception {
        assertTrue((boolean) exports("stub_calls"));
        assertFalse((boolean) exports("cuTensorMapEncodeTiled"));
    }

    private static Object exports(String name) throws ReflectiveOperationException {
        return driver.getClass().getMethod("exports", String.class).invoke(driver, name);
    }

    @Test
    void refusesBuffersThatNativeCodeCannotUse() {
        ByteBuffer heap = ByteBuffer.allocate(4);
        assertEquals(
                "a buffer of 4 bytes on Java's heap has no address; use ByteBuffer.allocateDirect,"
                        + " or memory of CudaDriver.allocateHost",
                refusal(() -> driver.copyToDevice(0, heap, 0)));
        ByteBuffer readOnly = ByteBuffer.allocateDirect(4).asReadOnlyBuffer();
        assertEquals(
                "the buffer to copy to may only be read",
                refusal(() -> driver.copyToHost(readOnly, 0, 0)));
        assertEquals("a module of 0 bytes", refusal(() -> driver.loadModule(new byte[0])));
        assertEquals("there is no memory at address 0", refusal(() -> HostMemory.view(0, 1)));
        assertEquals("a view of -1 bytes", refusal(() -> HostMemory.view(1, -1)));
    }

    private static String refusal(Runnable use) {
        return assertThrows(IllegalArgumentException.class, use::run).getMessage();
    }
}
