// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.files.WholeFile;

/**
 * A compiler that keeps in a folder what another one compiled.
 *
 * <p>A file's name is the SHA-256 of the source, its headers, the options and the compiler's
 * version, and the file begins with that of its contents: what is damaged is compiled again. What
 * the compiler said is not kept. Nothing is ever deleted; the folder may be, at any time. A folder
 * that cannot be read or written is a warning, once: the kernels are compiled all the same.
 */
public final class CachedCompiler implements CudaCompiler {

    private static final int HASH_BYTES = Checksum.SHA256_BYTES;

    private static final System.Logger LOG = System.getLogger(CachedCompiler.class.getName());

    private final CudaCompiler compiler;
    private final Path folder;
    private final AtomicBoolean warned = new AtomicBoolean();

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

    @Override
    public CompiledCuda compile(CudaSource source, List<String> options) {
        Path file = folder.resolve(key(source, options) + ".cubin");
        try {
            Optional<byte[]> kept = read(file);
            if (kept.isPresent()) {
                return new CompiledCuda(kept.get(), "");
            }
        } catch (IOException e) {
            warn(e);
        }
        CompiledCuda compiled = compiler.compile(source, options);
        try {
            write(file, compiled.cubin());
        } catch (IOException e) {
            warn(e);
        }
        return compiled;
    }

    private void warn(IOException cause) {
        if (!warned.getAndSet(true)) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "cannot keep compiled kernels in {0} ({1}): each is compiled again in each"
                            + " process; -D{2} names another folder",
                    folder,
                    cause.toString(),
                    UnpackedLibraries.PROPERTY);
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
        boolean whole = Arrays.equals(Checksum.sha256(cubin), Arrays.copyOf(bytes, HASH_BYTES));
        return whole ? Optional.of(cubin) : Optional.empty();
    }

    private void write(Path file, byte[] cubin) throws IOException {
        Files.createDirectories(folder);
        byte[] bytes = Arrays.copyOf(Checksum.sha256(cubin), HASH_BYTES + cubin.length);
        System.arraycopy(cubin, 0, bytes, HASH_BYTES, cubin.length);
        WholeFile.write(file, bytes);
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
        return Checksum.sha256Hex(text.toString());
    }

    /* With its length, so that no two lists of parts become one text. */
    private static void part(StringBuilder text, String part) {
        text.append(part.length()).append(':').append(part);
    }
}
