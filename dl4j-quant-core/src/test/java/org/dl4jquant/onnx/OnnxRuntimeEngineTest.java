// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;

class OnnxRuntimeEngineTest {

    private static final int GRAPHS = 20;

    @Test
    void givesTheSameCodesWithTwoThreads() {
        for (long seed = 100; seed < 100 + GRAPHS; seed++) {
            RandomGraph random = RandomGraph.of(seed);
            try (Engine reference = Engine.open("reference", random.graph());
                    Engine engine =
                            OnnxRuntimeProvider.open(random.graph(), new OnnxRuntimeOptions(2))) {
                EqualityCheck.between(reference, engine).over(random.inputs(8)).requireEqual();
            }
        }
    }

    @Test
    void refusesToRunWithoutAThread() {
        assertEquals(
                "0 threads; there must be at least 1",
                assertThrows(IllegalArgumentException.class, () -> new OnnxRuntimeOptions(0))
                        .getMessage());
    }

    @Test
    void refusesAnEngineThatIsNotThereAndListsThoseThatAre() {
        IntGraph graph = RandomGraph.of(0).graph();
        assertEquals(
                "there is no engine 'tensorrt'; on the class path are: onnxruntime, reference. Add"
                        + " the module that holds it, or use one of these",
                assertThrows(IllegalArgumentException.class, () -> Engine.open("tensorrt", graph))
                        .getMessage());
    }

    /**
     * Codes next to a tie (see CodeSumTest). ONNX Runtime adds tensors of one element in another
     * order than longer ones, which would give 144.
     */
    @Test
    void addsOneElementPerExampleInTheSameOrderAsMany() {
        QuantParams left = new QuantParams(0.796875f, 178, CodeRange.unsigned(8));
        QuantParams right = new QuantParams(0.75f, 121, CodeRange.unsigned(8));
        byte[] to216 = new byte[CodeTable.SIZE];
        Arrays.fill(to216, (byte) 216);
        IntGraph graph =
                SmallGraphs.graph(
                        Shape.of(1),
                        left,
                        new Table("t", "q", CodeTable.of(to216), right),
                        new Add(
                                "y",
                                "q",
                                "t",
                                Output.Codes.of(
                                        new QuantParams(0.59375f, 151, CodeRange.unsigned(8)))));
        try (Engine engine = Engine.open("onnxruntime", graph)) {
            double value = (83 - 178) * 0.796875;
            assertEquals(
                    List.of(143),
                    SmallGraphs.codes(engine.run(SmallGraphs.example(graph, value)).get("y")));
        }
    }

    @Test
    void survivesBeingClosedWhileItRuns() throws InterruptedException, ExecutionException {
        RandomGraph random = RandomGraph.of(3);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            for (int round = 0; round < 20; round++) {
                Engine engine = Engine.open("onnxruntime", random.graph());
                CountDownLatch running = new CountDownLatch(2);
                Runnable untilClosed =
                        () -> {
                            for (int i = 0; ; i++) {
                                engine.run(random.inputs(4));
                                if (i == 3) {
                                    running.countDown();
                                }
                            }
                        };
                List<Future<?>> runs =
                        List.of(threads.submit(untilClosed), threads.submit(untilClosed));
                running.await();
                engine.close();
                for (Future<?> run : runs) {
                    Throwable cause = assertThrows(ExecutionException.class, run::get).getCause();
                    assertInstanceOf(IllegalStateException.class, cause);
                    assertEquals(
                            "the engine 'onnxruntime' is closed; open another one",
                            cause.getMessage());
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void namesTheDependencyThatIsMissing() throws IOException, ReflectiveOperationException {
        URL[] others =
                Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                        .filter(entry -> !new File(entry).getName().startsWith("onnxruntime"))
                        .map(OnnxRuntimeEngineTest::url)
                        .toArray(URL[]::new);
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        try (URLClassLoader loader =
                new URLClassLoader(others, ClassLoader.getPlatformClassLoader())) {
            assertThrows(
                    ClassNotFoundException.class,
                    () -> loader.loadClass("ai.onnxruntime.OrtEnvironment"));
            Class<?> probe = loader.loadClass(OpensOnnxRuntime.class.getName());
            Throwable cause =
                    assertThrows(
                                    InvocationTargetException.class,
                                    () -> probe.getMethod("open").invoke(null))
                            .getCause();
            assertInstanceOf(IllegalStateException.class, cause);
            assertEquals(
                    "the engine 'onnxruntime' needs ONNX Runtime, which is not on the class path;"
                            + " add the dependency com.microsoft.onnxruntime:onnxruntime:1.28.0",
                    cause.getMessage());
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
    }

    private static URL url(String entry) {
        try {
            return new File(entry).toURI().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs inside another class loader. */
    public static final class OpensOnnxRuntime {

        private OpensOnnxRuntime() {}

        /** Opens the engine and closes it again. */
        public static void open() {
            Thread.currentThread().setContextClassLoader(OpensOnnxRuntime.class.getClassLoader());
            Engine engine = Engine.open("onnxruntime", RandomGraph.of(0).graph());
            assertNotNull(engine);
            engine.close();
        }
    }

    @Test
    void theMessageNamesTheVersionOfTheBuild() throws IOException {
        try (var names =
                Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                        .filter(entry -> new File(entry).getName().startsWith("onnxruntime"))) {
            List<String> found = names.toList();
            assertTrue(
                    found.stream()
                            .allMatch(entry -> entry.contains(OnnxRuntimeProvider.PROVEN_VERSION)),
                    found.toString());
        }
    }
}
