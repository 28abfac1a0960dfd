// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A compiler that keeps in a folder what another one compiled.
 *
 * <p>A file's name is the SHA-256 of the source, its headers, the options and the compiler's
 * version, and the file begins with that of its contents: what is damaged is compiled again. What
 * the compiler said is not kept. Nothing is ever deleted; the folder may be, at any time.
 */
public final class CachedCompiler implements CudaCompiler {

    private static final int HASH_BYTES = 32;

    private final CudaCompiler compiler;
    private final Path folder;

    /**
     * Keeps results in a folder.
     *
     * @param compiler who compiles what is not there
     * @param folder the folder, made when it is needed
     */
    public CachedCompiler(CudaCompiler compiler, Path folder) {
        this.compiler = Objects.requireNonNull(compiler, "compiler");
        this.folder = folder.toAbsolutePath();
    }

    /**
     * {@return a compiler that keeps results in the user's cache: {@code dl4j-quant/cubins} in
     * {@code XDG_CACHE_HOME} or in {@code .cache} of the user's home, or in the folder that {@code
     * -Ddl4jquant.cache} names}
     *
     * @param compiler who compiles what is not there
     */
    public static CachedCompiler inUsersCache(CudaCompiler compiler) {
        return new CachedCompiler(compiler, UnpackedLibraries.usualCache().resolve("cubins"));
    }

    @Override
    public String version() {
        return compiler.version();
    }

    @Override
    public List<Integer> architectures() {
        return compiler.architectures();
    }

    /**
     * {@inheritDoc}
     *
     * @throws UncheckedIOException if the folder cannot be written
     */
    @Override
    public CompiledCuda compile(CudaSource source, List<String> options) {
        Path file = folder.resolve(key(source, options) + ".cubin");
        try {
            Optional<byte[]> kept = read(file);
            if (kept.isPresent()) {
                return new CompiledCuda(kept.get(), "");
            }
            CompiledCuda compiled = compiler.compile(source, options);
            write(file, compiled.cubin());
            return compiled;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot keep compiled kernels in "
                            + folder
                            + "; -D"
                            + UnpackedLibraries.PROPERTY
                            + " names another folder",
                    e);
        }
    }

    private static Optional<byte[]> read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        byte[] bytes = Files.readAllBytes(file);
        if (bytes.length <= HASH_BYTES) {
            return Optional.empty();
        }
        byte[] cubin = Arrays.copyOfRange(bytes, HASH_BYTES, bytes.length);
        boolean whole = Arrays.equals(sha256(cubin), Arrays.copyOf(bytes, HASH_BYTES));
        return whole ? Optional.of(cubin) : Optional.empty();
    }

    private void write(Path file, byte[] cubin) throws IOException {
        Files.createDirectories(folder);
        byte[] bytes = Arrays.copyOf(sha256(cubin), HASH_BYTES + cubin.length);
        System.arraycopy(cubin, 0, bytes, HASH_BYTES, cubin.length);
        // Whoever reads the file at the same time finds the whole file or none.
        Path fresh = Files.createTempFile(folder, "fresh", ".tmp");
        try {
            Files.write(fresh, bytes);
            Files.move(
                    fresh,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    private String key(CudaSource source, List<String> options) {
        StringBuilder text = new StringBuilder();
        part(text, version());
        part(text, source.name());
        part(text, source.text());
        for (Map.Entry<String, String> header : source.headers().entrySet()) {
            part(text, header.getKey());
            part(text, header.getValue());
        }
        options.forEach(option -> part(text, option));
        return HexFormat.of().formatHex(sha256(text.toString().getBytes(StandardCharsets.UTF_8)));
    }

    /* With its length, so that no two lists of parts become one text. */
    private static void part(StringBuilder text, String part) {
        text.append(part.length()).append(':').append(part);
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
