// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A cache of a teacher's answers in a file, which the next training finds again.
 *
 * <p>The file begins with a line that names the teacher by a digest; then come records, each an
 * example's digest (32 bytes), the number of values (int32) and the values (float32), big-endian. A
 * last record that was cut off when a training was killed is written again.
 */
final class AnswerFile implements AnswerCache {

    private static final String FORMAT = "dl4j-quant teacher answers 1 ";
    private static final int DIGEST_BYTES = 32;
    private static final int HEAD_BYTES = DIGEST_BYTES + Integer.BYTES;

    private final FileChannel file;
    private final Map<Example, Long> positions = new HashMap<>();
    private long end;

    private AnswerFile(FileChannel file) {
        this.file = file;
    }

    /**
     * Opens or makes a file.
     *
     * @param path where
     * @param teacher what the answers depend on, as a digest
     * @return the cache
     * @throws IllegalArgumentException if the file holds something else, or another teacher's
     *     answers; it stays as it was
     * @throws UncheckedIOException if it cannot be read or written
     */
    static AnswerFile open(Path path, String teacher) {
        byte[] header = (FORMAT + teacher + "\n").getBytes(StandardCharsets.US_ASCII);
        try {
            FileChannel channel =
                    FileChannel.open(
                            path,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE);
            AnswerFile opened = new AnswerFile(channel);
            try {
                opened.readHeader(path, header);
                opened.readIndex();
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
            return opened;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the cache of the teacher's answers cannot be opened: " + path, e);
        }
    }

    private void readHeader(Path path, byte[] header) throws IOException {
        if (file.size() == 0) {
            write(ByteBuffer.wrap(header), 0);
        }
        byte[] found = new byte[header.length];
        if (!readFully(ByteBuffer.wrap(found), 0) || !java.util.Arrays.equals(found, header)) {
            throw new IllegalArgumentException(
                    path
                            + " does not hold answers of this teacher to these layers; delete it, or"
                            + " name another file");
        }
        end = header.length;
    }

    private void readIndex() throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
        while (readFully(head.clear(), end)) {
            head.flip();
            byte[] digest = new byte[DIGEST_BYTES];
            head.get(digest);
            long length = head.getInt() * (long) Float.BYTES;
            if (length < 0 || end + HEAD_BYTES + length > file.size()) {
                return;
            }
            positions.put(Example.of(digest), end);
            end += HEAD_BYTES + length;
        }
    }

    @Override
    public synchronized float @Nullable [] get(Example example) {
        Long at = positions.get(example);
        if (at == null) {
            return null;
        }
        try {
            ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
            readFully(head, at);
            float[] answer = new float[head.getInt(DIGEST_BYTES)];
            ByteBuffer values = ByteBuffer.allocate(answer.length * Float.BYTES);
            readFully(values, at + HEAD_BYTES);
            values.flip().asFloatBuffer().get(answer);
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException("the cache of the teacher's answers is unreadable", e);
        }
    }

    @Override
    public synchronized void put(Example example, float[] answer) {
        if (positions.containsKey(example)) {
            return;
        }
        ByteBuffer bytes = ByteBuffer.allocate(HEAD_BYTES + answer.length * Float.BYTES);
        bytes.put(HexFormat.of().parseHex(example.digest())).putInt(answer.length);
        for (float value : answer) {
            bytes.putFloat(value);
        }
        try {
            write(bytes.flip(), end);
        } catch (IOException e) {
            throw new UncheckedIOException("the teacher's answers cannot be written", e);
        }
        positions.put(example, end);
        end += bytes.limit();
    }

    private void write(ByteBuffer bytes, long at) throws IOException {
        long to = at;
        while (bytes.hasRemaining()) {
            to += file.write(bytes, to);
        }
    }

    private boolean readFully(ByteBuffer into, long at) throws IOException {
        long from = at;
        while (into.hasRemaining()) {
            int read = file.read(into, from);
            if (read < 0) {
                return false;
            }
            from += read;
        }
        return true;
    }

    @Override
    public synchronized void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the cache of the teacher's answers cannot be closed", e);
        }
    }
}
