// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** nvcc, NVIDIA's compiler as a program; the second way, where there is no NVRTC. */
public final class Nvcc implements CudaCompiler {

    private static final Pattern VERSION = Pattern.compile("release ([0-9]+\\.[0-9]+)");
    private static final Pattern ARCHITECTURE = Pattern.compile("sm_([0-9]+)");

    private final String program;
    private final String version;

    private Nvcc(String program) {
        this.program = program;
        this.version = "nvcc " + only(VERSION, succeed(List.of(program, "--version")));
    }

    /**
     * {@return the nvcc of a path, or of the system's search path}
     *
     * @param program {@code nvcc}, or its path
     * @throws CompilationException if it does not run
     */
    public static Nvcc open(String program) {
        return new Nvcc(program);
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public List<Integer> architectures() {
        String listed = succeed(List.of(program, "--list-gpu-code"));
        return listed.lines()
                .map(ARCHITECTURE::matcher)
                .filter(Matcher::matches)
                .map(matcher -> Integer.valueOf(matcher.group(1)))
                .sorted()
                .distinct()
                .toList();
    }

    @Override
    public CompiledCuda compile(CudaSource source, List<String> options) {
        try {
            Path folder = Files.createTempDirectory("dl4j-quant-nvcc");
            try {
                return compile(source, options, folder);
            } finally {
                delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot hand " + source.name() + " to nvcc", e);
        }
    }

    private CompiledCuda compile(CudaSource source, List<String> options, Path folder)
            throws IOException {
        Files.writeString(folder.resolve(source.name()), source.text());
        for (Map.Entry<String, String> header : source.headers().entrySet()) {
            Files.writeString(folder.resolve(header.getKey()), header.getValue());
        }
        List<String> command = new ArrayList<>(List.of(program, "--cubin", "-x", "cu"));
        command.addAll(options);
        command.addAll(List.of("-o", "compiled.cubin", source.name()));
        Output output = run(command, folder);
        if (output.status() != 0) {
            throw new CompilationException(
                    source.name() + ": does not compile (" + version + ", " + options + ")",
                    output.text());
        }
        return new CompiledCuda(
                Files.readAllBytes(folder.resolve("compiled.cubin")), output.text());
    }

    private record Output(int status, String text) {}

    private static String succeed(List<String> command) {
        Output output = run(command, Path.of("").toAbsolutePath());
        if (output.status() != 0) {
            throw new CompilationException(
                    "'" + String.join(" ", command) + "' ended with " + output.status(),
                    output.text());
        }
        return output.text();
    }

    private static Output run(List<String> command, Path folder) {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            String text =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Output(process.waitFor(), text);
        } catch (IOException e) {
            throw new CompilationException(
                    "nvcc does not run: "
                            + e.getMessage()
                            + "; install the CUDA toolkit, or give the path of its nvcc",
                    "");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CompilationException("interrupted while nvcc ran", "");
        }
    }

    private static String only(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw new CompilationException("this program is no nvcc", text);
        }
        return matcher.group(1);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
