// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A jar's libraries are unpacked once, whole, each version to its own folder. */
final class UnpackedLibrariesTest {

    private static final Pattern COMPANION = Pattern.compile("companion\\.so.*");

    @TempDir Path folder;

    private URLClassLoader classPath;
    private UnpackedLibraries libraries;

    @BeforeEach
    void writeJar() throws IOException {
        classPath = jar("first.jar", "library");
        libraries = libraries(classPath);
    }

    @AfterEach
    void closeJar() throws IOException {
        classPath.close();
    }

    private URLClassLoader jar(String name, String content) throws IOException {
        Path jar = folder.resolve(name);
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            for (Map.Entry<String, String> entry :
                    Map.of(
                                    "native/library.so.2", content,
                                    "native/companion.so.2.1", "companion",
                                    "native/other.so", "other",
                                    "elsewhere/companion.so.2.1", "elsewhere")
                            .entrySet()) {
                out.putNextEntry(new JarEntry(entry.getKey()));
                out.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
            }
        }
        return new URLClassLoader(new URL[] {jar.toUri().toURL()}, null);
    }

    private UnpackedLibraries libraries(ClassLoader loader) {
        return new UnpackedLibraries(loader, "native/", folder.resolve("cache"));
    }

    private static Optional<Path> unpack(UnpackedLibraries libraries) {
        return libraries.unpack(List.of("library.so.3", "library.so.2"), COMPANION);
    }

    private static Map<String, String> content(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.collect(
                    Collectors.toMap(
                            file -> file.getFileName().toString(),
                            file -> {
                                try {
                                    return Files.readString(file);
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            }));
        }
    }

    @Test
    void unpacksTheLibraryAndItsCompanions() throws IOException {
        Path file = unpack(libraries).orElseThrow();
        assertEquals("library.so.2", file.getFileName().toString());
        assertEquals(
                Map.of("library.so.2", "library", "companion.so.2.1", "companion"),
                content(file.getParent()));
    }

    @Test
    void writesNoFileAgainThatIsWhole() throws IOException {
        Path file = unpack(libraries).orElseThrow();
        FileTime old = FileTime.fromMillis(1_000_000);
        Files.setLastModifiedTime(file, old);
        Path companion = file.resolveSibling("companion.so.2.1");
        Files.writeString(companion, "cut");
        unpack(libraries);
        assertEquals(old, Files.getLastModifiedTime(file));
        assertEquals("companion", Files.readString(companion));
    }

    @Test
    void keepsVersionsApart() throws IOException {
        Path first = unpack(libraries).orElseThrow();
        try (URLClassLoader other = jar("second.jar", "changed")) {
            Path second = unpack(libraries(other)).orElseThrow();
            assertEquals("library", Files.readString(first));
            assertEquals("changed", Files.readString(second));
        }
    }

    @Test
    void unpacksFromManyThreadsAtOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            Callable<String> read = () -> Files.readString(unpack(libraries).orElseThrow());
            for (Future<String> one :
                    threads.invokeAll(IntStream.range(0, 32).mapToObj(i -> read).toList())) {
                assertEquals("library", one.get());
            }
        } finally {
            threads.shutdownNow();
        }
        assertEquals(2, content(unpack(libraries).orElseThrow().getParent()).size());
    }

    @Test
    void findsNothingWhereThereIsNoJar() {
        assertTrue(libraries.unpack(List.of("none.so"), COMPANION).isEmpty());
    }

    @Test
    void saysWhatToDoWhereItCannotWrite() throws IOException {
        Path cache = folder.resolve("cache");
        Files.writeString(cache, "a file");
        String message =
                assertThrows(UncheckedIOException.class, () -> unpack(libraries)).getMessage();
        assertTrue(message.startsWith("cannot unpack jar:file:"), message);
        assertTrue(
                message.endsWith(
                        "native/library.so.2 to "
                                + cache
                                + "; -Ddl4jquant.cache names another folder"),
                message);
    }
}
