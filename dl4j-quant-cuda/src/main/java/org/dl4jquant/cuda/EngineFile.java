// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.files.WholeFile;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.OutputFunction;
import org.nd4j.shade.jackson.core.JsonProcessingException;

/**
 * A compiled engine: programs for one or several architectures in one file.
 *
 * <p>Little-endian: the letters {@code DQCE}; the format's number, u32; the manifest's length, u64;
 * the manifest's SHA-256, 32 bytes; the manifest, JSON; then sections, each at a multiple of 256
 * bytes from the file's begin, whose places and SHA-256 the manifest holds. Equal sections are
 * written once. Every section is checked when the file is read.
 *
 * @param compiler what compiled the kernels, such as {@code NVRTC 12.9}
 * @param graph of which graph it is, {@link IntGraph#sha256}; empty for kernels of none
 * @param functions the last functions of outputs, {@link IntGraph#functions}
 * @param programs the programs, at most one for each architecture and purpose
 */
public record EngineFile(
        String compiler,
        String graph,
        Map<String, List<OutputFunction>> functions,
        List<Program> programs) {

    /** The number of the format that is written. */
    public static final int FORMAT = 4;

    private static final int MAGIC =
            ByteBuffer.wrap(new byte[] {'D', 'Q', 'C', 'E'})
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getInt();
    private static final int HASH_BYTES = Checksum.SHA256_BYTES;
    private static final Pattern GRAPH = Pattern.compile("([0-9a-f]{64})?");
    private static final int HEADER_BYTES = 4 + 4 + 8 + HASH_BYTES;
    private static final int ALIGNMENT = 256;

    /** Copies the programs, and checks that the functions are of outputs that are float32. */
    public EngineFile {
        functions = Collections.unmodifiableMap(new LinkedHashMap<>(functions));
        programs = List.copyOf(programs);
        for (Program program : programs) {
            requireOutputs(program, functions);
        }
        Require.argument(!programs.isEmpty(), "an engine needs at least one program");
        Require.argument(
                GRAPH.matcher(graph).matches(),
                "a graph's digest is '%s', but must have 64 digits, or none",
                graph);
    }

    private static void requireOutputs(
            Program program, Map<String, List<OutputFunction>> functions) {
        functions.forEach(
                (output, last) -> {
                    Optional<TensorType> type =
                            program.plan().outputs().stream()
                                    .filter(port -> port.name().equals(output))
                                    .map(Port::type)
                                    .findFirst();
                    Require.argument(
                            type.isPresent()
                                    && !type.get().isCodes()
                                    && last.stream()
                                            .allMatch(each -> each.fits(type.get().shape())),
                            "the last function %s is of '%s', which is %s in the program for %s",
                            last,
                            output,
                            type.map(TensorType::toString).orElse("no output"),
                            program.architecture());
                });
    }

    /**
     * An engine whose outputs leave without last functions.
     *
     * @param compiler as above
     * @param graph as above
     * @param programs as above
     */
    public EngineFile(String compiler, String graph, List<Program> programs) {
        this(compiler, graph, Map.of(), programs);
    }

    /** {@return the architectures that it has programs for, each once} */
    public List<String> architectures() {
        return programs.stream().map(Program::architecture).distinct().toList();
    }

    /**
     * Writes the engine; an older file stays whole until the new one is.
     *
     * @param path the file
     * @throws IOException if it cannot be written
     */
    public void write(Path path) throws IOException {
        Sections sections = new Sections();
        byte[] manifest = Manifest.write(this, sections);
        WholeFile.write(path, out -> writeTo(out, manifest, sections.list));
    }

    private static void writeTo(OutputStream out, byte[] manifest, List<Section> sections)
            throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(MAGIC)
                .putInt(FORMAT)
                .putLong(manifest.length)
                .put(Checksum.sha256(manifest))
                .flip();
        WritableByteChannel channel = Channels.newChannel(out);
        channel.write(header);
        channel.write(ByteBuffer.wrap(manifest));
        long at = HEADER_BYTES + (long) manifest.length;
        long begin = aligned(at);
        for (Section section : sections) {
            out.write(new byte[Math.toIntExact(begin + section.offset() - at)]);
            at = begin + section.offset() + section.bytes().remaining();
            channel.write(section.bytes().duplicate());
        }
    }

    /**
     * {@return the engine in a file, each section checked}
     *
     * @param path the file
     * @throws IOException if the file cannot be read, is damaged, or is of another format; the
     *     message says which part
     */
    public static EngineFile read(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            require(
                    channel.size() <= Integer.MAX_VALUE,
                    path,
                    "it has %d bytes, and at most 2^31 - 1 are supported",
                    channel.size());
            requireMagic(begin(channel, Integer.BYTES), path);
            // Not mapped: what was checked must not change when another program writes the file.
            ByteBuffer all = begin(channel, (int) channel.size()).asReadOnlyBuffer();
            return read(all.order(ByteOrder.LITTLE_ENDIAN), path);
        }
    }

    /** {@return the file's first bytes; fewer if there are no more} */
    private static ByteBuffer begin(FileChannel channel, int bytes) throws IOException {
        ByteBuffer begin = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int read = 0;
        while (read >= 0 && begin.hasRemaining()) {
            read = channel.read(begin, begin.position());
        }
        return begin.flip();
    }

    private static void requireMagic(ByteBuffer begin, Path path) throws IOException {
        require(
                begin.limit() >= Integer.BYTES && begin.getInt(0) == MAGIC,
                path,
                "it is no engine file: it does not begin with DQCE");
    }

    private static EngineFile read(ByteBuffer all, Path path) throws IOException {
        require(
                all.limit() >= HEADER_BYTES,
                path,
                "it ends inside its header, after %d bytes: copy it again",
                all.limit());
        int format = all.getInt(4);
        require(
                format == FORMAT,
                path,
                "its format is %d, and this version reads %d: compile the model again%s",
                format,
                FORMAT,
                format > FORMAT ? ", or use a newer version of dl4j-quant-cuda" : "");
        long length = all.getLong(8);
        require(
                length >= 0 && length <= all.limit() - HEADER_BYTES,
                path,
                "it ends inside its manifest, after %d bytes: copy it again",
                all.limit());
        byte[] hash = new byte[HASH_BYTES];
        all.get(16, hash);
        ByteBuffer manifest = all.slice(HEADER_BYTES, (int) length);
        require(
                MessageDigest.isEqual(hash, Checksum.sha256(manifest)),
                path,
                "its manifest is damaged: copy it again");
        byte[] json = new byte[(int) length];
        manifest.get(json);
        long begin = aligned(HEADER_BYTES + length);
        return read(json, new Loader(all, begin, path));
    }

    private static EngineFile read(byte[] manifest, Loader loader) throws IOException {
        try {
            return Manifest.read(manifest, loader);
        } catch (IllegalArgumentException | ArithmeticException | JsonProcessingException e) {
            throw new IOException(
                    "cannot read the engine " + loader.path() + ": " + e.getMessage(), e);
        }
    }

    /** Gives out sections of a file, checked. */
    record Loader(ByteBuffer all, long begin, Path path) {

        ByteBuffer section(String what, long offset, long length, String sha256)
                throws IOException {
            require(
                    offset >= 0
                            && length >= 0
                            && length <= all.limit()
                            && offset <= all.limit() - length - begin,
                    path,
                    "it ends inside the section of %s, after %d bytes: copy it again",
                    what,
                    all.limit());
            ByteBuffer section = all.slice((int) (begin + offset), (int) length);
            require(
                    digest(section).equals(sha256),
                    path,
                    "the section of %s is damaged: copy it again",
                    what);
            return section;
        }
    }

    /** Some bytes and their place after the manifest. */
    record Section(long offset, ByteBuffer bytes, String sha256) {}

    /** Collects sections; equal ones are one. */
    static final class Sections {

        private final List<Section> list = new ArrayList<>();
        private final Map<String, Section> byHash = new HashMap<>();
        private long end;

        Section add(ByteBuffer bytes) {
            String hash = digest(bytes);
            Section known = byHash.get(hash);
            if (known != null) {
                return known;
            }
            Section section = new Section(end, bytes, hash);
            end = aligned(end + bytes.remaining());
            list.add(section);
            byHash.put(hash, section);
            return section;
        }
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    @FormatMethod
    private static void require(
            boolean condition, Path path, @FormatString String format, Object... args)
            throws IOException {
        if (!condition) {
            throw new IOException(
                    "cannot read the engine "
                            + path
                            + ": "
                            + String.format(Locale.ROOT, format, args));
        }
    }

    static String digest(ByteBuffer bytes) {
        return Checksum.sha256Hex(bytes);
    }
}
