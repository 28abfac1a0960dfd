// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * Compiles kernels for the CPU: the same sources that a GPU runs, by g++ against the shim of {@code
 * src/test/cuda}. What was compiled is kept in {@code target/emulated} for as long as no source
 * changes.
 */
public final class EmulatedKernels {

    private static final Path MAIN = Path.of("src", "main", "cuda");
    private static final Path TEST = Path.of("src", "test", "cuda");
    private static final Path COMPILED = Path.of("target", "emulated");
    private static final List<String> OPTIONS =
            List.of(
                    "-std=c++17",
                    "-O1",
                    "-march=native",
                    "-ffp-contract=off",
                    "-fPIC",
                    "-fvisibility=hidden",
                    "-Wall",
                    "-Wextra",
                    "-Werror");

    /**
     * Not the one of C++, which a third of the time went into: the shim needs ten of its functions,
     * and finds them in the one that is loaded before.
     */
    private static final List<String> LIBRARIES = List.of("-nodefaultlibs", "-lm", "-lc", "-lgcc");

    /** Headers that are parts of a kernel. */
    private static final Pattern PART = Pattern.compile("#include \"((?!device)[a-z_]+\\.cuh)\"");

    private static final String ONCE = "#pragma once\n";

    private static final EmulatedKernels UNCHANGED = new EmulatedKernels(text -> text);

    private final UnaryOperator<String> edit;
    private final Map<String, EmulatedKernel> loaded = new ConcurrentHashMap<>();

    private EmulatedKernels(UnaryOperator<String> edit) {
        this.edit = edit;
    }

    /** The functions of C++, for all libraries that are loaded later. */
    private static final class Cpp {

        static final NativeLibrary LOADED = NativeLibrary.getInstance("libstdc++.so.6");

        private Cpp() {}
    }

    /**
     * {@return the kernels as they are}
     *
     * <p>Where there is no g++ for x86-64, the calling test is reported as not run.
     */
    public static EmulatedKernels available() {
        Assumptions.assumeTrue(
                Gxx.FOUND, "not run: emulating kernels needs g++ on the path of an x86-64 machine");
        return UNCHANGED;
    }

    /**
     * {@return kernels whose sources are changed before they are compiled}
     *
     * @param edit from a kernel's source, which has all headers but {@code device.cuh} inside, to
     *     another; other headers stay
     */
    public EmulatedKernels edited(UnaryOperator<String> edit) {
        return new EmulatedKernels(edit);
    }

    /**
     * {@return the kernel, compiled}
     *
     * @param spec its source in {@code src/main/cuda} or {@code src/test/cuda}, its constants and
     *     its launch
     * @throws IllegalStateException if g++ refuses the source
     */
    public EmulatedKernel of(KernelSpec spec) {
        return loaded.computeIfAbsent(spec.entry(), entry -> compile(spec));
    }

    private EmulatedKernel compile(KernelSpec spec) {
        try {
            String source = edit.apply(inlined(source(spec.file()), new HashSet<>()));
            List<String> flags = new ArrayList<>(OPTIONS);
            spec.macros().forEach((name, value) -> flags.add("-D" + name + "=" + value));
            flags.addAll(List.of("-shared", "-I" + MAIN, "-I" + TEST));
            String key = hash(source + flags + headers());
            Path library = COMPILED.resolve(spec.entry() + "-" + key + ".so");
            if (!Files.exists(library)) {
                Path edited = COMPILED.resolve(spec.entry() + "-" + key + ".cu");
                Path shim = shim();
                Files.writeString(edited, source);
                flags.addAll(List.of("-x", "c++", edited.toString(), "-x", "none", "" + shim));
                flags.addAll(LIBRARIES);
                compileTo(library, flags);
            }
            Objects.requireNonNull(Cpp.LOADED);
            return new EmulatedKernel(spec, library.toAbsolutePath());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path source(String file) {
        return Files.exists(MAIN.resolve(file)) ? MAIN.resolve(file) : TEST.resolve(file);
    }

    private static String inlined(Path file, Set<String> seen) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String line : Files.readAllLines(file)) {
            Matcher include = PART.matcher(line);
            if (!include.matches()) {
                text.append(line).append('\n');
            } else if (seen.add(include.group(1))) {
                text.append(inlined(MAIN.resolve(include.group(1)), seen).replace(ONCE, ""));
            }
        }
        return text.toString();
    }

    /* The shim's own part is compiled once: many kernels are linked with it. */
    private static synchronized Path shim() throws IOException {
        Files.createDirectories(COMPILED);
        Path source = TEST.resolve("shim.cpp");
        Path object = COMPILED.resolve("shim-" + hash(headers() + OPTIONS) + ".o");
        if (!Files.exists(object)) {
            List<String> flags = new ArrayList<>(OPTIONS);
            flags.addAll(List.of("-O3", "-c", source.toString()));
            compileTo(object, flags);
        }
        return object;
    }

    private static String headers() throws IOException {
        StringBuilder text = new StringBuilder();
        for (Path folder : List.of(MAIN, TEST)) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.sorted().toList()) {
                    if (!file.toString().endsWith(".cu")) {
                        text.append(Files.readString(file));
                    }
                }
            }
        }
        return text.toString();
    }

    private static void compileTo(Path result, List<String> flags) throws IOException {
        Path fresh = Files.createTempFile(COMPILED.toAbsolutePath(), "fresh", ".tmp");
        List<String> command = new ArrayList<>(List.of("g++"));
        command.addAll(flags);
        command.addAll(List.of("-o", fresh.toString()));
        Gxx.run(command);
        // Whoever compiles the same at the same time finds the whole file or none.
        Files.move(
                fresh, result, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static String hash(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The compiler. */
    private static final class Gxx {

        static final boolean FOUND = System.getProperty("os.arch").equals("amd64") && answers();

        private Gxx() {}

        private static boolean answers() {
            try {
                run(List.of("g++", "--version"));
                return true;
            } catch (IOException e) {
                return false;
            }
        }

        static void run(List<String> command) throws IOException {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            // Warnings and errors in one language, whatever the machine's.
            builder.environment().put("LC_ALL", "C");
            Process process = builder.start();
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            try {
                if (process.waitFor() != 0) {
                    throw new IllegalStateException(String.join(" ", command) + "\n" + output);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while g++ ran", e);
            }
        }
    }
}
