// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import com.sun.jna.Native;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.dl4jquant.cuda.GpuRunner;
import org.dl4jquant.engine.Engine;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.core.JsonFactory;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/** Puts beside engines what is needed to run them where there is a JRE and nothing else. */
final class RunnerFolder {

    private static final List<Class<?>> NEEDED =
            List.of(
                    GpuRunner.class,
                    Engine.class,
                    Native.class,
                    ObjectMapper.class,
                    JsonFactory.class,
                    JsonProperty.class);

    private static final String SCRIPT =
            """
            #!/bin/sh
            # Tries this machine's GPU with the engines beside this file; figures go to the folder that is named, or to out.
            here=$(cd "$(dirname "$0")" && pwd)
            exec "${JAVA:-java}" -cp "$here/lib/*" org.dl4jquant.cuda.GpuRunner "$here" "${1:-out}"
            """;

    private RunnerFolder() {}

    /**
     * Writes the jars and a script, {@code run.sh}.
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
                Files.copy(each.getValue(), jar, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Path script = Files.writeString(folder.resolve("run.sh"), SCRIPT);
        if (!script.toFile().setExecutable(true)) {
            throw new IOException(script + " cannot be made executable");
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
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out);
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
