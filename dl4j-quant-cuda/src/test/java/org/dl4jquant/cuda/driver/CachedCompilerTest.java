// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CachedCompilerTest {

    private static final CudaSource SOURCE = CudaSource.of("a.cu", "first");

    @TempDir private Path folder;
    private final List<String> compiled = new ArrayList<>();

    /** "Compiles" to the source's text. */
    private CachedCompiler compiler(String version) {
        CudaCompiler plain =
                new CudaCompiler() {
                    @Override
                    public String version() {
                        return version;
                    }

                    @Override
                    public List<Integer> architectures() {
                        return List.of(80);
                    }

                    @Override
                    public CompiledCuda compile(CudaSource source, List<String> options) {
                        compiled.add(source.text());
                        byte[] bytes = source.text().getBytes(StandardCharsets.UTF_8);
                        return new CompiledCuda(bytes, "a remark");
                    }
                };
        return new CachedCompiler(plain, folder.resolve("kept"));
    }

    private static void assertText(String text, CompiledCuda found) {
        assertArrayEquals(text.getBytes(StandardCharsets.UTF_8), found.cubin());
    }

    @Test
    void compilesTheSameOnce() {
        assertText("first", compiler("1").compile(SOURCE, List.of("-a")));
        assertText("first", compiler("1").compile(SOURCE, List.of("-a")));
        assertEquals(1, compiled.size());
        assertEquals(List.of(80), compiler("1").architectures());
    }

    @Test
    void anythingElseIsCompiled() {
        Map<String, String> headers = Map.of("h.cuh", "x");
        compiler("1").compile(SOURCE, List.of("-a", "b"));
        compiler("1").compile(SOURCE, List.of("-ab"));
        compiler("2").compile(SOURCE, List.of("-a", "b"));
        compiler("1").compile(CudaSource.of("b.cu", "first"), List.of("-a", "b"));
        compiler("1").compile(CudaSource.of("a.cu", "second"), List.of("-a", "b"));
        compiler("1")
                .compile(
                        new CudaSource("a.cu", "first", new TreeMap<>(headers)),
                        List.of("-a", "b"));
        assertEquals(6, compiled.size());
    }

    @Test
    void whatIsDamagedIsCompiledAgain() throws IOException {
        compiler("1").compile(SOURCE, List.of());
        Path file;
        try (Stream<Path> files = Files.list(folder.resolve("kept"))) {
            file = files.findFirst().orElseThrow();
        }
        byte[] whole = Files.readAllBytes(file);
        for (int length : new int[] {0, 10, 32, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertText("first", compiler("1").compile(SOURCE, List.of()));
            assertArrayEquals(whole, Files.readAllBytes(file));
        }
        assertEquals(5, compiled.size());
    }

    /* What took minutes to compile is not thrown away for a folder. */
    @Test
    void whatCannotBeKeptIsCompiledAllTheSameWithOneWarning() throws IOException {
        Files.writeString(folder.resolve("kept"), "a file");
        CachedCompiler compiler = compiler("1");
        List<String> said = new ArrayList<>();
        Handler handler = handler(said);
        Logger logger = Logger.getLogger(CachedCompiler.class.getName());
        logger.addHandler(handler);
        try {
            assertText("first", compiler.compile(SOURCE, List.of()));
            assertText("first", compiler.compile(SOURCE, List.of()));
        } finally {
            logger.removeHandler(handler);
        }
        assertEquals(2, compiled.size());
        assertEquals(1, said.size());
        assertTrue(said.get(0).startsWith("cannot keep compiled kernels in "), said::toString);
        assertTrue(said.get(0).endsWith("-Ddl4jquant.cache names another folder"), said::toString);
        assertEquals("a file", Files.readString(folder.resolve("kept")));
    }

    @Test
    void whatCannotBeReadIsCompiledAllTheSame() throws IOException {
        compiler("1").compile(SOURCE, List.of());
        Path file;
        try (Stream<Path> files = Files.list(folder.resolve("kept"))) {
            file = files.findFirst().orElseThrow();
        }
        Files.delete(file);
        Files.createDirectory(file);
        assertText("first", compiler("1").compile(SOURCE, List.of()));
        assertEquals(2, compiled.size());
    }

    private static Handler handler(List<String> said) {
        SimpleFormatter formatter = new SimpleFormatter();
        return new Handler() {
            @Override
            public void publish(LogRecord record) {
                said.add(formatter.formatMessage(record));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
    }
}
