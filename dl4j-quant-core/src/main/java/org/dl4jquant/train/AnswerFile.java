// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.files.RecordLog;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cache of a teacher's answers in a file, which the next training finds again.
 *
 * <p>The file is a {@link RecordLog} whose first line names the teacher by a digest; each record is
 * an example's digest (32 bytes) and the values of its answer (float32, big-endian). What is
 * damaged, or was cut off when a training was killed, is written again. Whoever opens a file that
 * is open in this process shares it; another process is refused.
 *
 * <p>A file that cannot be written any more, on a full disk say, does not stop a training: what is
 * not in it is asked of the teacher.
 */
final class AnswerFile implements AnswerCache {

    private static final Logger log = LoggerFactory.getLogger(AnswerFile.class);

    private static final String FORMAT = "dl4j-quant teacher answers 2 ";
    private static final int DIGEST_BYTES = Checksum.SHA256_BYTES;

    /* All that are open in this process, by their real paths. */
    private static final Map<Path, AnswerFile> OPEN = new HashMap<>();

    private final Path key;
    private final String teacher;
    private final RecordLog records;
    private final Map<Example, Place> places = new HashMap<>();
    private int users;
    private boolean full;

    /** Where a record stands, and its length in bytes. */
    private record Place(long position, int length) {}

    private AnswerFile(Path key, Path path, String teacher) throws IOException {
        this.key = key;
        this.teacher = teacher;
        this.records = RecordLog.open(path, FORMAT + teacher, foreign(), this::remember);
    }

    private static String foreign() {
        return "does not hold answers of this teacher to these layers; delete it, or name another"
                + " file";
    }

    /**
     * Opens or makes a file, or shares it with those who have it open.
     *
     * @param path where
     * @param teacher a digest of all that the answers depend on
     * @return the cache; each that is returned is closed once
     * @throws IllegalArgumentException if the file holds something else, or another teacher's
     *     answers; it stays as it was
     * @throws IllegalStateException if another process writes it
     * @throws UncheckedIOException if it cannot be read or written
     */
    static AnswerCache open(Path path, String teacher) {
        synchronized (OPEN) {
            try {
                Path key = key(path);
                AnswerFile file = OPEN.get(key);
                if (file == null) {
                    file = new AnswerFile(key, path, teacher);
                    OPEN.put(key, file);
                }
                Require.argument(file.teacher.equals(teacher), "%s %s", path, foreign());
                file.users++;
                return new Share(file);
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "the cache of the teacher's answers cannot be opened: " + path, e);
            }
        }
    }

    private static Path key(Path path) throws IOException {
        Path absolute = path.toAbsolutePath();
        Path folder = absolute.getParent();
        return Files.exists(absolute) || folder == null
                ? absolute.toRealPath()
                : folder.toRealPath().resolve(String.valueOf(absolute.getFileName()));
    }

    private boolean remember(long position, ByteBuffer record) {
        int values = record.remaining() - DIGEST_BYTES;
        if (values < 0 || values % Float.BYTES != 0) {
            return false;
        }
        places.put(example(record), new Place(position, record.remaining()));
        return true;
    }

    private static Example example(ByteBuffer record) {
        byte[] digest = new byte[DIGEST_BYTES];
        record.get(record.position(), digest);
        return Example.of(digest);
    }

    @Override
    public synchronized float @Nullable [] get(Example example) {
        Place place = places.get(example);
        if (place == null) {
            return null;
        }
        try {
            ByteBuffer record = records.read(place.position(), place.length());
            if (!example(record).equals(example)) {
                throw new IOException("it is of another example");
            }
            record.position(record.position() + DIGEST_BYTES);
            float[] answer = new float[record.remaining() / Float.BYTES];
            record.asFloatBuffer().get(answer);
            return answer;
        } catch (IOException e) {
            log.warn("An answer of the teacher is lost, and it is asked again: {}", e.toString());
            places.remove(example);
            return null;
        }
    }

    @Override
    public synchronized void put(Example example, float[] answer) {
        if (full || places.containsKey(example)) {
            return;
        }
        int length = DIGEST_BYTES + answer.length * Float.BYTES;
        ByteBuffer record = ByteBuffer.allocate(length);
        record.put(HexFormat.of().parseHex(example.digest()));
        record.asFloatBuffer().put(answer);
        try {
            places.put(example, new Place(records.add(record.rewind()), length));
        } catch (IOException e) {
            log.warn(
                    "The teacher's answers are kept no longer, and it is asked each time about all"
                            + " that are not in the file: {}",
                    e.getMessage());
            full = true;
        }
    }

    @Override
    public void close() {
        synchronized (OPEN) {
            users--;
            if (users > 0) {
                return;
            }
            OPEN.remove(key);
            try {
                records.close();
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "the cache of the teacher's answers cannot be closed", e);
            }
        }
    }

    /** One user's share of a file; may be closed several times. */
    private static final class Share implements AnswerCache {

        private final AnswerFile file;
        private boolean closed;

        Share(AnswerFile file) {
            this.file = file;
        }

        @Override
        public float @Nullable [] get(Example example) {
            return file.get(example);
        }

        @Override
        public void put(Example example, float[] answer) {
            file.put(example, answer);
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                file.close();
            }
        }
    }
}
