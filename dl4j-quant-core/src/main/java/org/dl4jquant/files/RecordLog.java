// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/**
 * A file that grows by checked records of bytes, and that one process writes at a time.
 *
 * <p>It begins with a line of text; then each record is its length (int32), its bytes, and the
 * CRC-32C of both, big-endian. All records are checked when the file is opened: from the first one
 * on that is damaged or unfinished, the rest is cut off, and a warning says so. A record is checked
 * again whenever it is read. An addition that fails is taken back.
 */
public final class RecordLog implements AutoCloseable {

    /* Length and checksum. */
    private static final int EXTRA_BYTES = 2 * Integer.BYTES;

    private static final int LARGE = 1 << 20;

    private static final System.Logger LOG = System.getLogger(RecordLog.class.getName());

    private final Path file;
    private final FileChannel channel;
    private long end;

    private RecordLog(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Is shown the records that a file has. */
    @FunctionalInterface
    public interface Visitor {

        /**
         * Sees a record.
         *
         * @param position where it stands, for {@link #read}
         * @param record its bytes; a buffer that is used again
         * @return whether it is one; if not, it and what follows are cut off
         */
        boolean record(long position, ByteBuffer record);
    }

    /**
     * Opens or makes a file, and checks all its records.
     *
     * @param path where
     * @param header the first line, without an end
     * @param foreign the message for a file that begins otherwise
     * @param visitor sees each record
     * @return the file, which no other process can open until it is closed
     * @throws IllegalArgumentException if the file holds something else; it stays as it was
     * @throws IllegalStateException if it is open already, here or in another process
     * @throws IOException if it cannot be read or written
     */
    public static RecordLog open(Path path, String header, String foreign, Visitor visitor)
            throws IOException {
        FileChannel channel =
                FileChannel.open(
                        path,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        RecordLog log = new RecordLog(path, channel);
        try {
            Require.state(
                    Locks.claim(channel, path) != Locks.Found.OTHERS,
                    "%s is written by another process, or under another name in this one:"
                            + " wait until that has ended, or name another"
                            + " file",
                    path);
            log.readHeader((header + "\n").getBytes(StandardCharsets.UTF_8), foreign);
            log.readRecords(visitor);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        return log;
    }

    private void readHeader(byte[] header, String foreign) throws IOException {
        int length = (int) Math.min(channel.size(), header.length);
        byte[] found = new byte[length];
        boolean whole = readFully(ByteBuffer.wrap(found), 0);
        Require.argument(
                whole && Arrays.equals(found, 0, length, header, 0, length),
                "%s %s",
                file,
                foreign);
        if (length < header.length) {
            write(ByteBuffer.wrap(header), 0);
        }
        end = header.length;
    }

    private void readRecords(Visitor visitor) throws IOException {
        long size = channel.size();
        int records = 0;
        for (ByteBuffer record = next(size); record != null; record = next(size)) {
            int length = record.remaining();
            if (!visitor.record(end, record)) {
                break;
            }
            end += length + EXTRA_BYTES;
            records++;
        }
        if (end < size) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "{0} is damaged or unfinished after {1} records: its last {2} bytes are cut"
                            + " off, and made again when they are needed",
                    file,
                    String.valueOf(records),
                    String.valueOf(size - end));
            channel.truncate(end);
        }
    }

    private @Nullable ByteBuffer next(long size) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(Integer.BYTES);
        if (!readFully(head, end)) {
            return null;
        }
        int length = head.getInt(0);
        if (length < 0 || length > size - end - EXTRA_BYTES) {
            return null;
        }
        return checked(end, length);
    }

    /* The record's bytes, or null if the checksum is another one. Who claims to be large is checked
     * before there is memory for it. */
    private @Nullable ByteBuffer checked(long position, int length) throws IOException {
        if (length > LARGE && !hasItsChecksum(position, length)) {
            return null;
        }
        ByteBuffer all = ByteBuffer.allocate(Math.addExact(length, EXTRA_BYTES));
        if (!readFully(all, position)) {
            return null;
        }
        all.flip().limit(Integer.BYTES + length);
        int found = Checksum.crc32c(all);
        int expected = all.limit(all.capacity()).getInt(Integer.BYTES + length);
        boolean same = found == expected && all.getInt(0) == length;
        return same ? all.position(Integer.BYTES).limit(Integer.BYTES + length) : null;
    }

    private boolean hasItsChecksum(long position, int length) throws IOException {
        CRC32C sum = new CRC32C();
        ByteBuffer part = ByteBuffer.allocate(LARGE);
        long left = (long) Integer.BYTES + length;
        long at = position;
        while (left > 0) {
            part.clear().limit((int) Math.min(LARGE, left));
            if (!readFully(part, at)) {
                return false;
            }
            sum.update(part.flip());
            at += part.limit();
            left -= part.limit();
        }
        part.clear().limit(Integer.BYTES);
        return readFully(part, at) && part.getInt(0) == (int) sum.getValue();
    }

    /**
     * Reads a record.
     *
     * @param position where it stands
     * @param length its length in bytes
     * @return its bytes
     * @throws IOException if it cannot be read, or was changed since the file was opened
     */
    public ByteBuffer read(long position, int length) throws IOException {
        ByteBuffer record =
                length < 0 || length > channel.size() - position ? null : checked(position, length);
        if (record == null) {
            throw new IOException(
                    "%s was changed by another program: the record at byte %d is damaged"
                            .formatted(file, position));
        }
        return record;
    }

    /**
     * Adds a record.
     *
     * @param record its bytes
     * @return where it stands
     * @throws IOException if it cannot be added; the file then has what it had before
     */
    public long add(ByteBuffer record) throws IOException {
        int length = record.remaining();
        ByteBuffer all = ByteBuffer.allocate(Math.addExact(length, EXTRA_BYTES));
        all.putInt(length).put(record.duplicate()).flip();
        int crc = Checksum.crc32c(all);
        all.limit(all.capacity()).putInt(Integer.BYTES + length, crc);
        long position = end;
        try {
            write(all.rewind(), position);
        } catch (IOException e) {
            takeBack(e);
            throw new IOException("cannot add to %s: %s".formatted(file, e), e);
        }
        end += all.capacity();
        return position;
    }

    private void takeBack(IOException failure) {
        try {
            channel.truncate(end);
        } catch (IOException e) {
            failure.addSuppressed(e); // the next one to open the file cuts it
        }
    }

    private void write(ByteBuffer bytes, long at) throws IOException {
        long to = at;
        while (bytes.hasRemaining()) {
            to += channel.write(bytes, to);
        }
    }

    private boolean readFully(ByteBuffer into, long at) throws IOException {
        long from = at;
        while (into.hasRemaining()) {
            int read = channel.read(into, from);
            if (read < 0) {
                return false;
            }
            from += read;
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
