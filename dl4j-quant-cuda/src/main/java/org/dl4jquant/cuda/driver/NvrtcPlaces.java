// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where libnvrtc may lie. */
final class NvrtcPlaces {

    private static final Pattern LIBRARY = Pattern.compile("libnvrtc\\.so(?:\\.([0-9]+))?.*");
    private static final Pattern BUILTINS = Pattern.compile("libnvrtc-builtins\\.so.*");
    private static final Pattern TOOLKIT = Pattern.compile("cuda(-[0-9.]+)?");

    private NvrtcPlaces() {}

    /** {@return the newest libnvrtc of the first place that has one} */
    static Optional<Path> newest() {
        return folders().stream()
                .flatMap(folder -> newestIn(folder).stream())
                .findFirst()
                .or(NvrtcPlaces::unpacked);
    }

    /** {@return the places, for a message} */
    static String described() {
        return folders() + " and for " + resources() + "libnvrtc.so.* on the class path";
    }

    /**
     * {@return the newest libnvrtc of a folder}
     *
     * @param folder a folder, which may not exist
     */
    static Optional<Path> newestIn(Path folder) {
        return matching(folder, LIBRARY).stream()
                .max(Comparator.comparingInt(NvrtcPlaces::majorVersion));
    }

    /**
     * {@return the builtins that belong to a libnvrtc}
     *
     * @param library libnvrtc
     */
    static Optional<Path> builtinsBeside(Path library) {
        Path folder = library.toAbsolutePath().getParent();
        if (folder == null) {
            return Optional.empty();
        }
        String version = Integer.toString(majorVersion(library));
        List<Path> builtins = matching(folder, BUILTINS);
        return builtins.stream()
                .filter(file -> file.toString().contains(".so." + version + "."))
                .findFirst()
                .or(() -> builtins.stream().findFirst());
    }

    private static List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        String own = System.getenv("LD_LIBRARY_PATH");
        if (own != null) {
            Arrays.stream(own.split(File.pathSeparator, -1))
                    .filter(folder -> !folder.isEmpty())
                    .map(Path::of)
                    .forEach(folders::add);
        }
        for (Path toolkit : matching(Path.of("/usr/local"), TOOLKIT)) {
            folders.add(toolkit.resolve("lib64"));
        }
        String architecture = isArm() ? "aarch64" : "x86_64";
        folders.add(Path.of("/usr/lib/" + architecture + "-linux-gnu"));
        folders.add(Path.of("/usr/lib64"));
        return folders;
    }

    private static Optional<Path> unpacked() {
        ClassLoader classPath = NvrtcPlaces.class.getClassLoader();
        return new UnpackedLibraries(classPath, resources(), UnpackedLibraries.usualCache())
                .unpack(List.of("libnvrtc.so.13", "libnvrtc.so.12"), BUILTINS);
    }

    private static String resources() {
        return "org/bytedeco/cuda/linux-" + (isArm() ? "arm64" : "x86_64") + "/";
    }

    private static boolean isArm() {
        return System.getProperty("os.arch", "").toLowerCase(Locale.ROOT).equals("aarch64");
    }

    private static int majorVersion(Path library) {
        Matcher matcher = LIBRARY.matcher(String.valueOf(library.getFileName()));
        return matcher.matches() && matcher.group(1) != null
                ? Integer.parseInt(matcher.group(1))
                : 0;
    }

    /* Sorted: the same machine gives the same choice. */
    private static List<Path> matching(Path folder, Pattern name) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> name.matcher(file.getFileName().toString()).matches())
                    .filter(Files::isReadable)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot look for NVRTC in " + folder, e);
        }
    }
}
