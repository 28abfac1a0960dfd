// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Planner;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class EngineOnDeviceTest {

    private static final int LARGEST = 4;
    private static final IntGraph GRAPH = Networks.leNet(8);
    private static final EngineFile FILE =
            EmulatedDriver.engine(GRAPH, Architecture.SM_75, Architecture.SM_80);

    private final EmulatedDriver driver = new EmulatedDriver(80);

    private EngineOnDevice open() {
        return EngineOnDevice.open(FILE, driver, 0, LARGEST);
    }

    private static float[] expected(int examples) {
        try (Engine reference = Engine.open("reference", GRAPH)) {
            return logits(reference.run(Networks.inputs(GRAPH, examples)));
        }
    }

    private static float[] logits(Map<String, Batch> results) {
        return ((Batch.Floats) results.get("logits")).values();
    }

    @Test
    void batchesRunInBucketsAndLargerOnesInParts() {
        try (EngineOnDevice engine = open()) {
            for (int examples : new int[] {1, 3, 2, 4, 9, 3, 1}) {
                assertArrayEquals(
                        expected(examples), logits(engine.run(Networks.inputs(GRAPH, examples))));
            }
            // 1; 4 for 3, for which there is new memory; 2; the others are there.
            assertEquals(4, driver.captures());
        }
        assertEquals("", driver.held());
    }

    @Test
    void readsDeviceMemoryWhereItIs() {
        int examples = 6;
        float[] values = Networks.inputs(GRAPH, examples).get("x").values();
        try (EngineOnDevice engine = open()) {
            long bytes = (long) values.length * Float.BYTES;
            driver.setCurrent(0xC0);
            long address = driver.allocate(bytes);
            Memory host = new Memory(bytes);
            host.write(0, values, 0, values.length);
            driver.copyToDevice(address, Pointer.nativeValue(host), bytes, 0);
            assertArrayEquals(
                    expected(examples), logits(engine.runOnDevice(Map.of("x", address), examples)));
            driver.free(address);
            host.close();
            assertEquals(
                    "there are addresses of [y], but those of [x] are needed",
                    refusal(() -> engine.runOnDevice(Map.of("y", 1L), 1)));
            assertEquals(
                    "the address of 'x' is 0x102; one that is not 0, and a multiple of 4, is needed",
                    refusal(() -> engine.runOnDevice(Map.of("x", 258L), 1)));
            assertEquals(
                    "a batch of 0 examples",
                    refusal(() -> engine.runOnDevice(Map.of("x", 256L), 0)));
        }
        assertEquals("", driver.held());
    }

    private static String refusal(Executable executable) {
        return assertThrows(IllegalArgumentException.class, executable).getMessage();
    }

    @Test
    void resultsStayInDeviceMemoryIfTheyAreWantedThere() {
        int examples = 2 * LARGEST + 1;
        float[] values = Networks.inputs(GRAPH, examples).get("x").values();
        float[] expected = expected(examples);
        try (EngineOnDevice engine = open();
                Memory host = new Memory((long) values.length * Float.BYTES);
                Memory results = new Memory((expected.length + 1L) * Float.BYTES)) {
            driver.setCurrent(0xC0);
            long from = driver.allocate(host.size());
            long to = driver.allocate(results.size());
            host.write(0, values, 0, values.length);
            driver.copyToDevice(from, Pointer.nativeValue(host), host.size(), 0);
            driver.fill(to, (byte) 0x55, results.size(), 0);
            engine.runOnDevice(Map.of("x", from), Map.of("logits", to), examples);
            driver.copyToHost(Pointer.nativeValue(results), to, results.size(), 0);
            assertArrayEquals(expected, results.getFloatArray(0, expected.length));
            assertEquals(0x55555555, results.getInt(results.size() - Float.BYTES));
            driver.free(from);
            driver.free(to);
            assertEquals(
                    "there are addresses of [x], but those of [logits] are needed",
                    refusal(() -> engine.runOnDevice(Map.of("x", 256L), Map.of("x", 256L), 1)));
            assertEquals(
                    "the address of 'logits' is 0x0; one that is not 0, and a multiple of 4, is needed",
                    refusal(() -> engine.runOnDevice(Map.of("x", 256L), Map.of("logits", 0L), 1)));
        }
        assertEquals("", driver.held());
    }

    @Test
    void manyThreadsRunAtOnce() {
        try (EngineOnDevice engine = open()) {
            float[] expected = expected(2);
            List<float[]> found =
                    IntStream.range(0, 16)
                            .parallel()
                            .mapToObj(i -> logits(engine.run(Networks.inputs(GRAPH, 2))))
                            .toList();
            found.forEach(each -> assertArrayEquals(expected, each));
        }
        assertEquals("", driver.held());
    }

    @Test
    void closingWaitsForThoseWhoRun() throws InterruptedException {
        EngineOnDevice engine = open();
        float[] expected = expected(2);
        CountDownLatch running = new CountDownLatch(3);
        List<Thread> threads =
                IntStream.range(0, 3)
                        .mapToObj(i -> new Thread(() -> runUntilClosed(engine, expected, running)))
                        .toList();
        threads.forEach(Thread::start);
        running.await();
        engine.close();
        for (Thread thread : threads) {
            thread.join();
        }
        engine.close();
        assertEquals("", driver.held());
        assertEquals(
                "the engine is closed; open another one",
                assertThrows(
                                IllegalStateException.class,
                                () -> engine.run(Networks.inputs(GRAPH, 1)))
                        .getMessage());
    }

    private static void runUntilClosed(
            EngineOnDevice engine, float[] expected, CountDownLatch running) {
        try {
            while (true) {
                assertArrayEquals(expected, logits(engine.run(Networks.inputs(GRAPH, 2))));
                running.countDown();
            }
        } catch (IllegalStateException closed) {
            assertEquals("the engine is closed; open another one", closed.getMessage());
        }
    }

    @Test
    void saysWhatABatchNeedsAndStaysUsable() {
        try (EngineOnDevice engine = open()) {
            float[] expected = expected(1);
            assertArrayEquals(expected, logits(engine.run(Networks.inputs(GRAPH, 1))));
            long each = FILE.programs().get(2).plan().arenaBytes();
            driver.limit(1L << 30);
            driver.limit((1L << 30) - driver.freeBytes() + each);
            OutOfDeviceMemoryException error =
                    assertThrows(
                            OutOfDeviceMemoryException.class,
                            () -> engine.run(Networks.inputs(GRAPH, 4)));
            assertTrue(
                    error.getMessage()
                            .matches(
                                    "a batch of 4 examples needs [\\d,]+ bytes on No GPU, of which"
                                            + " [\\d,]+ are free; run smaller batches, or close"
                                            + " other engines"),
                    error.getMessage());
            assertArrayEquals(expected, logits(engine.run(Networks.inputs(GRAPH, 1))));
        }
        assertEquals("", driver.held());
    }

    @Test
    void nothingStaysBehindWhenTheProgramDoesNotFit() {
        driver.limit(1000);
        CudaException error = assertThrows(CudaException.class, this::open);
        assertEquals(CudaException.OUT_OF_MEMORY, error.result());
        assertEquals("", driver.held());
    }

    @Test
    void nothingStaysBehindAfterAFault() {
        for (String call : List.of("cuLaunchKernel", "cuGraphLaunch", "cuStreamSynchronize")) {
            EngineOnDevice engine = open();
            driver.fail(call);
            assertTrue(
                    assertThrows(CudaException.class, () -> engine.run(Networks.inputs(GRAPH, 1)))
                            .getMessage()
                            .startsWith(call + " failed: CUDA_ERROR_ILLEGAL_ADDRESS (700)"));
            driver.fail("");
            assertArrayEquals(expected(1), logits(engine.run(Networks.inputs(GRAPH, 1))));
            engine.close();
            assertEquals("", driver.held(), call);
        }
    }

    @Test
    void givesAllBackEvenIfTheContextSaysThatItIsBroken() {
        EngineOnDevice engine = open();
        engine.run(Networks.inputs(GRAPH, 1));
        driver.fail("cuCtxSetCurrent");
        assertTrue(
                assertThrows(CudaException.class, engine::close)
                        .getMessage()
                        .startsWith("cuCtxSetCurrent failed: CUDA_ERROR_ILLEGAL_ADDRESS (700)"));
        assertEquals("", driver.held());
    }

    @Test
    void refusesABatchThatNoArrayHolds() {
        try (EngineOnDevice engine = open()) {
            assertEquals(
                    "a batch of 300000000 examples has more values of 'logits' than a Java array;"
                            + " run at most 214748364 at once",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> engine.runOnDevice(Map.of("x", 256L), 300_000_000))
                            .getMessage());
            assertArrayEquals(expected(1), logits(engine.run(Networks.inputs(GRAPH, 1))));
        }
        assertEquals("", driver.held());
    }

    @Test
    void asksForMoreSharedMemoryThanKernelsUsuallyHave() {
        EmulatedDriver hopper = new EmulatedDriver(90);
        Plan plan = Planner.run(GRAPH, Architecture.SM_90A, 1024);
        assertTrue(
                plan.kernels().stream()
                        .anyMatch(kernel -> kernel.launch().sharedBytes() > 48 * 1024));
        EngineFile large =
                new EngineFile(
                        "nobody",
                        "",
                        List.of(
                                EmulatedDriver.program(
                                        Architecture.SM_90A, Program.Purpose.RUN, plan)));
        try (EngineOnDevice engine = EngineOnDevice.open(large, hopper, 0, LARGEST)) {
            assertArrayEquals(expected(3), logits(engine.run(Networks.inputs(GRAPH, 3))));
        }
        assertEquals("", hopper.held());
    }

    @Test
    void memoryThatNobodyUsesIsGivenBackWhereThereIsTooLittle() {
        try (EngineOnDevice engine = open()) {
            Map<String, Batch.Floats> inputs = Networks.inputs(GRAPH, LARGEST);
            Map<String, Batch> traced = engine.trace(inputs);
            engine.run(inputs);
            long both = driver.deviceBytes();
            driver.limit(both - 1);
            engine.use(1, engine.tactics(1)); // forgets the memory of runs, but not of traces
            assertArrayEquals(expected(LARGEST), logits(engine.run(inputs)));
            assertTrue(driver.deviceBytes() < both);
            assertEquals(traced.keySet(), engine.trace(inputs).keySet());
        }
        assertEquals("", driver.held());
    }

    @Test
    void timesWholeBatchesAndEachLaunch() {
        try (EngineOnDevice engine = open()) {
            Times times = engine.time(2, 3);
            assertTrue(times.micros() > 0, times.toString());
            assertEquals(engine.steps().size(), times.stepMicros().size());
            assertTrue(times.stepMicros().stream().allMatch(micros -> micros > 0));
            assertEquals(
                    "a batch of 5 examples; 1 to 4 are launched at once",
                    assertThrows(IllegalArgumentException.class, () -> engine.time(5, 1))
                            .getMessage());
            assertArrayEquals(expected(1), logits(engine.run(Networks.inputs(GRAPH, 1))));
        }
        assertEquals("", driver.held());
    }

    @Test
    void refusesWrongInputs() {
        try (EngineOnDevice engine = open()) {
            Batch.Floats small = Batch.Floats.of(1, Shape.of(1, 1, 2), new float[2]);
            assertEquals(
                    "input 'x' has examples of shape [1x1x2]; the graph takes [1x28x28]",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> engine.run(Map.of("x", small)))
                            .getMessage());
        }
    }

    @Test
    void refusesAGpuThatItHasNoCodeFor() {
        EmulatedDriver hopper = new EmulatedDriver(90);
        assertEquals(
                "the engine has code for [sm_75, sm_80], and No GPU needs sm_90; compile it for"
                        + " that, too",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> EngineOnDevice.open(FILE, hopper, 0, 1))
                        .getMessage());
        assertEquals("", hopper.held());
        assertEquals(
                "there is no GPU 1; this machine has 1, numbered from 0",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> EngineOnDevice.open(FILE, driver, 1, 1))
                        .getMessage());
    }

    @Test
    void refusesAnotherGraphsEngine() {
        IntGraph other = Networks.resNet18(40, 16, 10);
        assertTrue(
                assertThrows(
                                IllegalArgumentException.class,
                                () -> CudaEngine.open(other, FILE, driver))
                        .getMessage()
                        .startsWith("the engine is another graph's: 'x' is "));
        IntGraph renamed =
                IntGraph.of(
                        List.of(
                                new Input("y", Shape.of(1)),
                                new Quantize("z", "y", new QuantParams(1, 0, CodeRange.signed(8)))),
                        List.of("z"));
        assertEquals(
                "the engine is another graph's: it makes [logits] of [x], and the graph makes [z]"
                        + " of [y]",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> CudaEngine.open(renamed, FILE, driver))
                        .getMessage());
        assertEquals("", driver.held());
    }

    @Test
    void refusesTheEngineOfTheSameNetworkWithOtherWeights() {
        List<IntNode> nodes = new ArrayList<>();
        for (IntNode node : GRAPH.nodes()) {
            nodes.add(node instanceof Dense dense ? withOtherBias(dense) : node);
        }
        IntGraph other = IntGraph.of(nodes, GRAPH.outputs());
        assertEquals(
                "the engine is another graph's: its SHA-256 is '%s', and the graph's is '%s'; compile the graph"
                        .formatted(GRAPH.sha256(), other.sha256()),
                assertThrows(
                                IllegalArgumentException.class,
                                () -> CudaEngine.open(other, FILE, driver))
                        .getMessage());
        assertEquals("", driver.held());
    }

    private static Dense withOtherBias(Dense dense) {
        WeightTensor weights = dense.weights();
        int[] bias = weights.bias();
        bias[0]++;
        return new Dense(
                dense.name(),
                dense.input(),
                WeightTensor.of(
                        weights.shape(), weights.range(), weights.codes(), weights.scales(), bias),
                dense.output());
    }

    @Test
    void refusesToTraceWithoutTraces() {
        EngineFile runs = new EngineFile("nobody", "", FILE.programs().subList(2, 3));
        try (EngineOnDevice engine = EngineOnDevice.open(runs, driver, 0, 1)) {
            assertEquals(
                    "the engine has no program to trace for sm_80; compile it with"
                            + " Target.withTraces()",
                    assertThrows(
                                    IllegalStateException.class,
                                    () -> engine.trace(Networks.inputs(GRAPH, 1)))
                            .getMessage());
        }
    }

    @Test
    void choosesTheCodeOfTheNearestArchitecture() {
        List<String> all = List.of("sm_75", "sm_80", "sm_86", "sm_90", "sm_90a");
        assertEquals(Optional.of("sm_90a"), ProgramChoice.best(all, 90));
        assertEquals(Optional.of("sm_86"), ProgramChoice.best(all, 89));
        assertEquals(Optional.of("sm_80"), ProgramChoice.best(all, 80));
        assertEquals(Optional.of("sm_75"), ProgramChoice.best(all, 75));
        assertEquals(Optional.empty(), ProgramChoice.best(all, 100));
        assertEquals(Optional.empty(), ProgramChoice.best(List.of("sm_86"), 80));
        assertEquals(Optional.empty(), ProgramChoice.best(List.of("sm_90a"), 100));
    }

    @Test
    void reportsWhatRunsHere() {
        DeviceReport ada = DeviceReport.of(new EmulatedDriver(89), 0);
        assertEquals(
                """
                No GPU, sm_89, 132 multiprocessors, 1.0 GiB, 50 MiB of cache, driver for CUDA 12.9
                  INT8 on Tensor Cores: yes, code for sm_89
                  INT4 weights, INT8 activations: yes, unpacked in registers
                  FP16: not an integer; layers kept in float16 do not lower""",
                ada.toString());
        assertEquals(
                "runs here with its code for sm_80; code for sm_89 would be faster, with the same"
                        + " results",
                ada.verdict(FILE));
        assertEquals("runs here with its code for sm_80", DeviceReport.of(driver, 0).verdict(FILE));
        assertEquals(
                "does not run here: it has code for [sm_75, sm_80], and No GPU needs sm_90a",
                DeviceReport.of(new EmulatedDriver(90), 0).verdict(FILE));
        DeviceReport volta = DeviceReport.of(new EmulatedDriver(70), 0);
        assertEquals(
                "does not run here: it has code for [sm_75, sm_80], and No GPU needs sm_75 to sm_90",
                volta.verdict(FILE));
        assertTrue(volta.toString().contains("INT8 on Tensor Cores: no"));
    }
}
