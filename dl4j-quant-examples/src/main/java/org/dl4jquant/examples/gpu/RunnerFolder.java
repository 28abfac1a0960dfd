// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import com.sun.jna.Native;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.GpuRunner;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.files.WholeFile;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.core.JsonFactory;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/**
 * Adds to a folder of engines the jars and scripts that run them where there is a JRE and nothing
 * else.
 */
final class RunnerFolder {

    private static final List<Class<?>> NEEDED =
            List.of(
                    GpuRunner.class,
                    Engine.class,
                    Native.class,
                    ObjectMapper.class,
                    JsonFactory.class,
                    JsonProperty.class);

    private static final List<String> FILES = List.of("run.sh", "peers.py");

    /* The modules that the runner, JNA and Jackson use. */
    private static final String MODULES = "java.base,java.logging,java.xml,jdk.unsupported";

    private RunnerFolder() {}

    /**
     * Writes the jars, a script that runs it all, {@code run.sh}, and the peers, {@code peers.py}.
     *
     * @param folder the engines' folder
     */
    static void complete(Path folder) throws IOException {
        Path lib = Files.createDirectories(folder.resolve("lib"));
        for (Map.Entry<String, Path> each : places().entrySet()) {
            Path jar = lib.resolve(each.getKey());
            if (Files.isDirectory(each.getValue())) {
                pack(each.getValue(), jar);
            } else {
                WholeFile.write(jar, out -> Files.copy(each.getValue(), out));
            }
        }
        for (String file : FILES) {
            copy(file, folder);
        }
    }

    private static void copy(String name, Path folder) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream in = RunnerFolder.class.getResourceAsStream(name)) {
            WholeFile.write(file, Objects.requireNonNull(in, name)::transferTo);
        }
        if (!file.toFile().setExecutable(true)) {
            throw new IOException(file + " cannot be made executable");
        }
    }

    /**
     * Adds a Java runtime for machines that have none but are of this one's kind, in {@code jre};
     * one that is there already stays.
     *
     * @param folder the engines' folder
     * @throws IllegalArgumentException if this Java cannot make one; the message says why
     * @throws IOException if it cannot be put in its place
     */
    static void addJava(Path folder) throws IOException {
        Path jre = folder.resolve("jre");
        if (Files.exists(jre)) {
            return;
        }
        ToolProvider jlink =
                ToolProvider.findFirst("jlink")
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                "this Java has no jlink, which makes runtimes; use"
                                                        + " a JDK, or leave --jre out"));
        // The remains of a killed process must not be taken for a runtime.
        Path draft = folder.resolve("jre.part");
        remove(draft);
        StringWriter said = new StringWriter();
        PrintWriter writer = new PrintWriter(said);
        String[] options = {
            "--add-modules",
            MODULES,
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--output",
            draft.toString()
        };
        Require.argument(
                jlink.run(writer, writer, options) == 0,
                "jlink could not make a Java runtime in %s: %s",
                jre,
                said);
        Files.move(draft, jre);
    }

    private static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }

    /* Jars, or the folders of a build, by the names that they get. */
    private static Map<String, Path> places() throws IOException {
        Map<String, Path> places = new LinkedHashMap<>();
        for (Class<?> type : NEEDED) {
            Path place = place(type);
            String name =
                    Files.isDirectory(place)
                            ? type.getSimpleName() + ".jar"
                            : String.valueOf(place.getFileName());
            places.put(name, place);
        }
        return places;
    }

    private static Path place(Class<?> type) throws IOException {
        try {
            URI uri = type.getProtectionDomain().getCodeSource().getLocation().toURI();
            return Path.of(uri);
        } catch (URISyntaxException e) {
            throw new IOException("cannot find the jar of " + type, e);
        }
    }

    private static void pack(Path classes, Path jar) throws IOException {
        WholeFile.write(jar, out -> pack(classes, out));
    }

    private static void pack(Path classes, OutputStream out) throws IOException {
        try (JarOutputStream entries = new JarOutputStream(out);
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = classes.relativize(file).toString().replace('\\', '/');
                entries.putNextEntry(new JarEntry(name));
                Files.copy(file, entries);
                entries.closeEntry();
            }
        }
    }
}
