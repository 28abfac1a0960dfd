// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.deeplearning4j.util.ModelSerializer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The entries of a DL4J model file, each checked before anything is made of it. */
final class ModelZip implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(ModelZip.class);

    /* What deflate can make of a byte: at most 258 bytes of 2 bits, and some headers. */
    private static final long MOST_BYTES_OF_A_BYTE = 1040;

    /* All that DL4J writes, but serialized Java objects. */
    private static final Set<String> ENTRIES =
            new TreeSet<>(
                    Set.of(
                            ModelSerializer.CONFIGURATION_JSON,
                            ModelSerializer.COEFFICIENTS_BIN,
                            ModelSerializer.NO_PARAMS_MARKER,
                            ModelSerializer.UPDATER_BIN,
                            ModelSerializer.NORMALIZER_BIN));

    private static final int BUFFER_BYTES = 1 << 16;
    private static final int MOST_ENTRIES = 10_000;
    private static final long LARGEST_JSON = 256L << 20;

    private final File file;
    private final ZipFile zip;
    private final String json;
    private final Set<String> names;

    private ModelZip(File file, ZipFile zip, Predicate<String> allowed) throws IOException {
        this.file = file;
        this.zip = zip;
        this.json = configuration();
        this.names =
                new ConfigurationJson(allowed).check(json, reason -> refused(file, reason, null));
    }

    /**
     * {@return an open model file whose sizes and configuration are checked}
     *
     * @param file the model file
     * @param largest the most bytes that its entries may have, uncompressed
     * @param allowed which class names its configuration may have
     * @throws IOException if it cannot be read, or is refused
     */
    static ModelZip open(File file, long largest, Predicate<String> allowed) throws IOException {
        ZipFile zip;
        try {
            zip = new ZipFile(file);
        } catch (IOException | IllegalArgumentException e) {
            if (!file.isFile()) {
                throw e instanceof IOException io ? io : new IOException(e);
            }
            throw refused(file, "it is no zip file, or a damaged one (" + e.getMessage() + ")", e);
        }
        try {
            requireSizes(file, zip, largest);
            return new ModelZip(file, zip, allowed);
        } catch (IOException | RuntimeException e) {
            zip.close();
            throw e;
        }
    }

    private static void requireSizes(File file, ZipFile zip, long largest) throws IOException {
        if (zip.size() > MOST_ENTRIES) {
            throw refused(file, "it has " + zip.size() + " entries", null);
        }
        Set<String> names = new HashSet<>();
        long total = 0;
        for (ZipEntry entry : zip.stream().toList()) {
            if (!names.add(entry.getName())) {
                throw refused(file, "it has two entries " + entry.getName(), null);
            }
            if (entry.getSize() < 0 || entry.getSize() > largest - total) {
                throw refused(
                        file,
                        String.format(
                                "its entries have more than %,d bytes; if that is right, allow"
                                        + " more with atMost",
                                largest),
                        null);
            }
            total += entry.getSize();
            if (!ENTRIES.contains(entry.getName()) && !isObject(entry.getName())) {
                throw refused(
                        file,
                        "it has an entry '"
                                + entry.getName()
                                + "', which no DL4J model file has: it is damaged, or something was"
                                + " added to it; the known ones are "
                                + ENTRIES,
                        null);
            }
        }
        if (total / MOST_BYTES_OF_A_BYTE > file.length()) {
            throw refused(
                    file,
                    String.format(
                            "its %,d bytes claim to hold %,d, more than compression can do",
                            file.length(), total),
                    null);
        }
        names.removeIf(name -> !isObject(name));
        if (!names.isEmpty()) {
            LOG.warn("{}: not read, since they are serialized Java objects: {}", file, names);
        }
    }

    private static boolean isObject(String name) {
        return name.equals(ModelSerializer.PREPROCESSOR_BIN) || name.startsWith("objects/");
    }

    private String configuration() throws IOException {
        ZipEntry entry = zip.getEntry(ModelSerializer.CONFIGURATION_JSON);
        require(entry != null, "it has no " + ModelSerializer.CONFIGURATION_JSON);
        long size = Objects.requireNonNull(entry).getSize();
        require(size <= LARGEST_JSON, "its configuration has " + size + " bytes");
        byte[] bytes =
                read(
                        entry,
                        in -> {
                            byte[] all = new byte[(int) size];
                            in.readFully(all);
                            return all;
                        });
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw refused(file, "its configuration is no UTF-8", e);
        }
    }

    /** {@return the configuration, whose class names are checked} */
    String json() {
        return json;
    }

    /** {@return whether the configuration is that of a network with vertices} */
    boolean isGraph() {
        return names.contains("vertices");
    }

    /**
     * {@return the parameters; null if the network has none}
     *
     * @param count how many its configuration asks for
     * @throws IOException if it has none, and its configuration asks for some
     */
    @Nullable INDArray parameters(long count) throws IOException {
        if (count == 0) {
            return null; // DL4J writes an empty array, or nothing
        }
        INDArray parameters = vector(ModelSerializer.COEFFICIENTS_BIN);
        require(
                parameters != null,
                "it has no "
                        + ModelSerializer.COEFFICIENTS_BIN
                        + ", and its network has "
                        + count
                        + " parameters: they would be random; call init() before a network is"
                        + " saved");
        return parameters;
    }

    /** {@return the updater's state; null if the file has none} */
    @Nullable INDArray updaterState() throws IOException {
        return vector(ModelSerializer.UPDATER_BIN);
    }

    private @Nullable INDArray vector(String name) throws IOException {
        ZipEntry entry = zip.getEntry(name);
        return entry == null || entry.getSize() == 0
                ? null
                : read(entry, in -> StoredVector.read(in, entry.getSize()));
    }

    /** Makes something of an entry's bytes. */
    @FunctionalInterface
    private interface Reader<T> {
        T read(DataInputStream in) throws IOException;
    }

    private <T> T read(ZipEntry entry, Reader<T> reader) throws IOException {
        try (CheckedInputStream in =
                new CheckedInputStream(zip.getInputStream(entry), new CRC32())) {
            DataInputStream data = new DataInputStream(new BufferedInputStream(in, BUFFER_BYTES));
            T read = reader.read(data);
            if (data.read() >= 0) {
                throw new IOException("it has more bytes than the " + entry.getSize());
            }
            if (in.getChecksum().getValue() != entry.getCrc()) {
                throw new IOException("it is damaged (its checksum differs): copy the file again");
            }
            return read;
        } catch (EOFException e) {
            throw refused(file, entry.getName() + " ends early: copy the file again", e);
        } catch (IOException | RuntimeException e) { // ND4J throws both
            throw refused(file, entry.getName() + ": " + e.getMessage(), e);
        }
    }

    /**
     * {@return a part of the network, made of checked entries}
     *
     * @param what its name in the message
     * @param maker makes it of checked entries
     * @throws IOException if it cannot be made
     */
    <T> T understood(String what, Supplier<T> maker) throws IOException {
        try {
            return maker.get();
        } catch (RuntimeException e) {
            String said = e instanceof NullPointerException ? null : e.getMessage();
            String reason =
                    said == null
                            ? "a part of it is missing, or impossible"
                            : said.lines().findFirst().orElse("");
            throw refused(file, "its " + what + " is not understood: " + reason, e);
        }
    }

    /**
     * Requires something of the file.
     *
     * @param condition the condition that must hold
     * @param reason the fault if it does not
     * @throws IOException if it does not
     */
    void require(boolean condition, String reason) throws IOException {
        if (!condition) {
            throw refused(file, reason, null);
        }
    }

    private static IOException refused(File file, String reason, @Nullable Throwable cause) {
        return new IOException("cannot read the model file " + file + ": " + reason, cause);
    }

    @Override
    public void close() throws IOException {
        zip.close();
    }
}
