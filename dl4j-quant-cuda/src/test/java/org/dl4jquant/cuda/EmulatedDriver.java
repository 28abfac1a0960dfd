// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.DeviceAttribute;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.EmulatedKernel;
import org.dl4jquant.cuda.kernel.EmulatedKernels;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.Launch;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Planner;
import org.dl4jquant.graph.IntGraph;

/**
 * A driver of one GPU that is not there. Kernels run on the CPU, and may touch device memory only;
 * a kernel's machine code is its name. Streams do at once what is queued, graphs what was captured.
 * It counts what is held, and refuses what a driver refuses.
 */
final class EmulatedDriver implements CudaDriver {

    private static final long CONTEXT = 0xC0;
    private static final int ALIGNMENT = 256;
    private static final int SHARED_BYTES_UNASKED = 48 << 10;
    private static final byte POISON = (byte) 0xA5;

    private static final List<Runnable> NOT_CAPTURING = List.of();

    /** The kernels that a module can hold, by entry. */
    private static final Map<String, KernelSpec> KNOWN = new ConcurrentHashMap<>();

    private final int architecture;
    private final AtomicLong handles = new AtomicLong(1000);
    private final ThreadLocal<Long> current = ThreadLocal.withInitial(() -> 0L);
    private final TreeMap<Long, Block> device = new TreeMap<>();
    private final Map<Long, Memory> host = new HashMap<>();
    private final Map<Long, String> modules = new HashMap<>();
    private final Map<Long, Function> functions = new HashMap<>();
    private final Map<Long, List<Runnable>> streams = new HashMap<>();
    private final Map<Long, List<Runnable>> graphs = new HashMap<>();
    private final Map<Long, Long> events = new HashMap<>();
    private int retained;
    private long limit = Long.MAX_VALUE;
    private int launches;
    private String name = "No GPU";
    private volatile int overlapping;
    private int captures;
    private String failing = "";

    private record Block(Memory memory, long address, long bytes) {}

    /** A kernel, its module, and the dynamic shared memory that its launches may have. */
    private record Function(KernelSpec spec, long module, int sharedBytes) {}

    EmulatedDriver(int architecture) {
        this.architecture = architecture;
    }

    /** {@return an engine whose machine code this driver understands} */
    static EngineFile engine(IntGraph graph, Architecture... architectures) {
        List<Program> programs = new ArrayList<>();
        for (Architecture each : architectures) {
            programs.add(program(each, Program.Purpose.RUN, Planner.run(graph, each, 2)));
            programs.add(program(each, Program.Purpose.TRACE, Planner.trace(graph, each)));
        }
        return new EngineFile("nobody", graph.sha256(), graph.functions(), programs);
    }

    static Program program(Architecture architecture, Program.Purpose purpose, Plan plan) {
        Map<String, ByteBuffer> cubins = new HashMap<>();
        for (KernelSpec kernel : plan.kernels()) {
            KNOWN.put(kernel.entry(), kernel);
            byte[] name = kernel.entry().getBytes(StandardCharsets.UTF_8);
            cubins.put(kernel.entry(), ByteBuffer.wrap(name));
        }
        return new Program(architecture.target(), purpose, plan, cubins);
    }

    /** {@return what is held; empty if nothing is} */
    synchronized String held() {
        List<String> held = new ArrayList<>();
        add(held, device.size(), "pieces of device memory");
        add(held, host.size(), "pieces of host memory");
        add(held, modules.size(), "modules");
        add(held, streams.size(), "streams");
        add(held, graphs.size(), "graphs");
        add(held, events.size(), "events");
        add(held, retained, "contexts");
        return String.join(", ", held);
    }

    private static void add(List<String> held, int count, String what) {
        if (count != 0) {
            held.add(count + " " + what);
        }
    }

    /** How much device memory there is. */
    synchronized void limit(long bytes) {
        limit = bytes;
    }

    /** From now on, a call of this name fails, as it does after a kernel's fault. */
    synchronized void fail(String call) {
        failing = call;
    }

    /** {@return how many launches might have begun earlier} */
    int overlapping() {
        return overlapping;
    }

    /** {@return the same with another name} */
    EmulatedDriver named(String other) {
        name = other;
        return this;
    }

    /** {@return bytes of device memory that are taken} */
    synchronized long deviceBytes() {
        return device.values().stream().mapToLong(Block::bytes).sum();
    }

    synchronized int launches() {
        return launches;
    }

    synchronized int captures() {
        return captures;
    }

    private void check(String call) {
        require(current.get() == CONTEXT, call, 201, "CUDA_ERROR_INVALID_CONTEXT");
        require(!failing.equals(call), call, 700, "CUDA_ERROR_ILLEGAL_ADDRESS");
    }

    private static void require(boolean condition, String call, int result, String name) {
        if (!condition) {
            throw CudaException.of(call, result, name, "emulated");
        }
    }

    @Override
    public void init() {}

    @Override
    public int version() {
        return 12_090;
    }

    @Override
    public int deviceCount() {
        return 1;
    }

    @Override
    public String deviceName(int number) {
        return name;
    }

    @Override
    public int attribute(int number, DeviceAttribute attribute) {
        return switch (attribute) {
            case ARCHITECTURE_MAJOR -> architecture / 10;
            case ARCHITECTURE_MINOR -> architecture % 10;
            case MULTIPROCESSORS -> 132;
            case L2_CACHE_BYTES -> 50 << 20;
            default -> 1;
        };
    }

    @Override
    public long memoryBytes(int number) {
        return 1L << 30;
    }

    @Override
    public synchronized long retainPrimaryContext(int number) {
        retained++;
        return CONTEXT;
    }

    @Override
    public synchronized void releasePrimaryContext(int number) {
        require(retained > 0, "cuDevicePrimaryCtxRelease", 201, "CUDA_ERROR_INVALID_CONTEXT");
        retained--;
    }

    @Override
    public void setCurrent(long context) {
        synchronized (this) {
            require(
                    !failing.equals("cuCtxSetCurrent"),
                    "cuCtxSetCurrent",
                    700,
                    "CUDA_ERROR_ILLEGAL_ADDRESS");
        }
        current.set(context);
    }

    @Override
    public void synchronize() {
        check("cuCtxSynchronize");
    }

    @Override
    public synchronized long freeBytes() {
        return limit - device.values().stream().mapToLong(Block::bytes).sum();
    }

    @Override
    public synchronized long allocate(long bytes) {
        check("cuMemAlloc");
        require(bytes > 0, "cuMemAlloc", 1, "CUDA_ERROR_INVALID_VALUE");
        require(bytes <= freeBytes(), "cuMemAlloc", 2, "CUDA_ERROR_OUT_OF_MEMORY");
        Memory memory = new Memory(bytes + ALIGNMENT);
        memory.setMemory(0, memory.size(), POISON);
        long address = (Pointer.nativeValue(memory) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        device.put(address, new Block(memory, address, bytes));
        return address;
    }

    @Override
    public synchronized void free(long address) {
        check("cuMemFree");
        require(device.remove(address) != null, "cuMemFree", 1, "CUDA_ERROR_INVALID_VALUE");
    }

    @Override
    public synchronized long allocateHost(long bytes) {
        check("cuMemHostAlloc");
        Memory memory = new Memory(bytes);
        host.put(Pointer.nativeValue(memory), memory);
        return Pointer.nativeValue(memory);
    }

    @Override
    public synchronized void freeHost(long address) {
        check("cuMemFreeHost");
        require(host.remove(address) != null, "cuMemFreeHost", 1, "CUDA_ERROR_INVALID_VALUE");
    }

    @Override
    public void copyToDevice(long to, long from, long bytes, long stream) {
        queue(stream, "cuMemcpyHtoDAsync", () -> copy(to, from, bytes, to));
    }

    @Override
    public void copyToHost(long to, long from, long bytes, long stream) {
        queue(stream, "cuMemcpyDtoHAsync", () -> copy(to, from, bytes, from));
    }

    @Override
    public void copyOnDevice(long to, long from, long bytes, long stream) {
        queue(
                stream,
                "cuMemcpyDtoDAsync",
                () -> {
                    synchronized (this) {
                        Map.Entry<Long, Block> entry = device.floorEntry(from);
                        requireInside(entry == null ? null : entry.getValue(), from, bytes);
                    }
                    copy(to, from, bytes, to);
                });
    }

    private void copy(long to, long from, long bytes, long onDevice) {
        Block block;
        synchronized (this) {
            Map.Entry<Long, Block> entry = device.floorEntry(onDevice);
            block = entry == null ? null : entry.getValue();
        }
        requireInside(block, onDevice, bytes);
        try {
            byte[] through = new byte[Math.toIntExact(bytes)];
            new Pointer(from).read(0, through, 0, through.length);
            new Pointer(to).write(0, through, 0, through.length);
        } finally {
            Reference.reachabilityFence(block);
        }
    }

    private static void requireInside(Block block, long address, long bytes) {
        boolean inside = block != null && address + bytes <= block.address() + block.bytes();
        require(inside, "an access of " + bytes + " bytes", 1, "CUDA_ERROR_INVALID_VALUE");
    }

    @Override
    public void fill(long to, byte value, long bytes, long stream) {
        queue(stream, "cuMemsetD8Async", () -> fill(to, value, bytes));
    }

    private synchronized void fill(long to, byte value, long bytes) {
        Map.Entry<Long, Block> entry = device.floorEntry(to);
        requireInside(entry == null ? null : entry.getValue(), to, bytes);
        new Pointer(to).setMemory(0, bytes, value);
    }

    @Override
    public synchronized long loadModule(byte[] image) {
        check("cuModuleLoadData");
        String entry = new String(image, StandardCharsets.UTF_8);
        require(KNOWN.containsKey(entry), "cuModuleLoadData", 200, "CUDA_ERROR_INVALID_IMAGE");
        long module = handles.incrementAndGet();
        modules.put(module, entry);
        return module;
    }

    @Override
    public synchronized void unloadModule(long module) {
        check("cuModuleUnload");
        require(modules.remove(module) != null, "cuModuleUnload", 400, "CUDA_ERROR_INVALID_HANDLE");
        functions.values().removeIf(function -> function.module() == module);
    }

    @Override
    public synchronized long function(long module, String name) {
        check("cuModuleGetFunction");
        require(
                name.equals(modules.get(module)),
                "cuModuleGetFunction",
                500,
                "CUDA_ERROR_NOT_FOUND");
        long function = handles.incrementAndGet();
        functions.put(function, new Function(KNOWN.get(name), module, SHARED_BYTES_UNASKED));
        return function;
    }

    @Override
    public synchronized void setDynamicSharedMemory(long function, int bytes) {
        check("cuFuncSetAttribute");
        require(
                functions.containsKey(function),
                "cuFuncSetAttribute",
                400,
                "CUDA_ERROR_INVALID_HANDLE");
        functions.computeIfPresent(
                function, (key, old) -> new Function(old.spec(), old.module(), bytes));
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
        synchronized (this) {
            check("cuLaunchKernelEx");
            overlapping++;
        }
        launch(function, gridX, gridY, threads, sharedBytes, stream, arguments);
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
        Function known;
        synchronized (this) {
            known = functions.get(function);
            launches++;
        }
        require(known != null, "cuLaunchKernel", 400, "CUDA_ERROR_INVALID_HANDLE");
        require(
                sharedBytes <= known.sharedBytes(),
                "cuLaunchKernel",
                701,
                "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES");
        KernelSpec spec = known.spec();
        Launch shape = spec.launch();
        boolean fits =
                gridY == shape.columns()
                        && threads == shape.threads()
                        && sharedBytes == shape.sharedBytes();
        require(fits, "cuLaunchKernel", 1, "CUDA_ERROR_INVALID_VALUE");
        long[] copy = arguments.clone();
        queue(stream, "cuLaunchKernel", () -> launch(spec, gridX, copy));
    }

    private void launch(KernelSpec spec, int rows, long[] arguments) {
        List<Block> blocks;
        synchronized (this) {
            blocks = List.copyOf(device.values());
        }
        List<EmulatedKernel.Range> ranges =
                blocks.stream()
                        .map(block -> new EmulatedKernel.Range(block.address(), block.bytes()))
                        .toList();
        Optional<String> fault;
        try {
            fault = EmulatedKernels.available().of(spec).launch(rows, 0, ranges, arguments);
        } finally {
            Reference.reachabilityFence(blocks);
        }
        if (fault.isPresent()) {
            throw CudaException.of(spec.file(), 700, "CUDA_ERROR_ILLEGAL_ADDRESS", fault.get());
        }
    }

    private void queue(long stream, String call, Runnable work) {
        List<Runnable> captured;
        synchronized (this) {
            check(call);
            require(
                    stream == 0 || streams.containsKey(stream),
                    call,
                    400,
                    "CUDA_ERROR_INVALID_HANDLE");
            captured = stream == 0 ? null : streams.get(stream);
        }
        if (captured == null || captured == NOT_CAPTURING) {
            work.run();
        } else {
            captured.add(work);
        }
    }

    @Override
    public synchronized long createStream() {
        check("cuStreamCreate");
        long stream = handles.incrementAndGet();
        streams.put(stream, NOT_CAPTURING);
        return stream;
    }

    @Override
    public synchronized void destroyStream(long stream) {
        check("cuStreamDestroy");
        require(
                streams.remove(stream) != null,
                "cuStreamDestroy",
                400,
                "CUDA_ERROR_INVALID_HANDLE");
    }

    @Override
    public void synchronizeStream(long stream) {
        check("cuStreamSynchronize");
    }

    @Override
    public synchronized void beginCapture(long stream) {
        check("cuStreamBeginCapture");
        require(
                streams.get(stream) == NOT_CAPTURING,
                "cuStreamBeginCapture",
                900,
                "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED");
        captures++;
        streams.put(stream, new ArrayList<>());
    }

    @Override
    public synchronized long endCapture(long stream) {
        check("cuStreamEndCapture");
        require(
                streams.containsKey(stream) && streams.get(stream) != NOT_CAPTURING,
                "cuStreamEndCapture",
                901,
                "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED");
        long graph = handles.incrementAndGet();
        graphs.put(graph, streams.put(stream, NOT_CAPTURING));
        return graph;
    }

    @Override
    public void launchGraph(long graph, long stream) {
        List<Runnable> work;
        synchronized (this) {
            check("cuGraphLaunch");
            work = graphs.get(graph);
        }
        require(work != null, "cuGraphLaunch", 400, "CUDA_ERROR_INVALID_HANDLE");
        work.forEach(Runnable::run);
    }

    @Override
    public synchronized void destroyGraph(long graph) {
        check("cuGraphExecDestroy");
        require(
                graphs.remove(graph) != null,
                "cuGraphExecDestroy",
                400,
                "CUDA_ERROR_INVALID_HANDLE");
    }

    @Override
    public synchronized long createEvent() {
        check("cuEventCreate");
        long event = handles.incrementAndGet();
        events.put(event, 0L);
        return event;
    }

    @Override
    public synchronized void destroyEvent(long event) {
        check("cuEventDestroy");
        require(events.remove(event) != null, "cuEventDestroy", 400, "CUDA_ERROR_INVALID_HANDLE");
    }

    @Override
    public synchronized void recordEvent(long event, long stream) {
        check("cuEventRecord");
        events.put(event, System.nanoTime());
    }

    @Override
    public void synchronizeEvent(long event) {
        check("cuEventSynchronize");
    }

    @Override
    public synchronized float elapsedMillis(long start, long end) {
        check("cuEventElapsedTime");
        return (Objects.requireNonNull(events.get(end)) - Objects.requireNonNull(events.get(start)))
                / 1e6f;
    }
}
