// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import org.dl4jquant.files.WholeFile;
import org.jspecify.annotations.Nullable;

/**
 * Native libraries of a jar on the class path, unpacked once to a folder from which they can be
 * loaded.
 */
final class UnpackedLibraries {

    /**
     * The system property with the folder to unpack to; without it, {@code dl4j-quant} in {@code
     * XDG_CACHE_HOME} or in {@code .cache} of the user's home.
     */
    static final String PROPERTY = "dl4jquant.cache";

    private final ClassLoader classPath;
    private final String resources;
    private final Path cache;

    /**
     * Looks in one folder of a class path.
     *
     * @param classPath the class path
     * @param resources the folder's name, with a slash at the end
     * @param cache where to unpack to
     */
    UnpackedLibraries(ClassLoader classPath, String resources, Path cache) {
        this.classPath = classPath;
        this.resources = resources;
        this.cache = cache;
    }

    /**
     * Unpacks a library and its companions, unless they are unpacked.
     *
     * @param names the library; the first of these that the class path has
     * @param companions the names of what must lie beside it
     * @return the library's file; empty if no jar on the class path has one
     */
    Optional<Path> unpack(List<String> names, Pattern companions) {
        for (String name : names) {
            URL url = classPath.getResource(resources + name);
            if (url != null && url.getProtocol().equals("jar")) {
                try {
                    return Optional.of(unpack(url, name, companions));
                } catch (IOException e) {
                    throw new UncheckedIOException(
                            "cannot unpack "
                                    + url
                                    + " to "
                                    + cache
                                    + "; -D"
                                    + PROPERTY
                                    + " names another folder",
                            e);
                }
            }
        }
        return Optional.empty();
    }

    private Path unpack(URL url, String name, Pattern companions) throws IOException {
        JarURLConnection connection = (JarURLConnection) url.openConnection();
        connection.setUseCaches(false);
        try (JarFile jar = connection.getJarFile()) {
            JarEntry library = jar.getJarEntry(resources + name);
            Path folder = cache.resolve(key(name, library));
            Files.createDirectories(folder);
            for (JarEntry entry : jar.stream().toList()) {
                String file = fileName(entry);
                if (file != null && companions.matcher(file).matches()) {
                    unpack(jar, entry, folder.resolve(file));
                }
            }
            Path result = folder.resolve(name);
            unpack(jar, library, result);
            return result;
        }
    }

    /* The size and the checksum: another version lies in another folder. */
    private static String key(String name, JarEntry entry) {
        return String.format(Locale.ROOT, "%s-%d-%08x", name, entry.getSize(), entry.getCrc());
    }

    private @Nullable String fileName(JarEntry entry) {
        String name = entry.getName();
        return name.startsWith(resources) ? name.substring(resources.length()) : null;
    }

    private static void unpack(JarFile jar, JarEntry entry, Path file) throws IOException {
        if (Files.exists(file) && Files.size(file) == entry.getSize()) {
            return;
        }
        try (InputStream in = jar.getInputStream(entry)) {
            WholeFile.write(file, in::transferTo);
        }
    }

    /** {@return the folder to unpack to, see {@link #PROPERTY}} */
    static Path usualCache() {
        String given = System.getProperty(PROPERTY);
        if (given != null) {
            return Path.of(given).toAbsolutePath();
        }
        String shared = System.getenv("XDG_CACHE_HOME");
        Path caches =
                shared == null || shared.isEmpty()
                        ? Path.of(System.getProperty("user.home"), ".cache")
                        : Path.of(shared);
        return caches.resolve("dl4j-quant").toAbsolutePath();
    }
}
