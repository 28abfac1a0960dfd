// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.check.Require;

/**
 * A text file that grows by whole lines. Several threads and processes may add to one file; each
 * addition is there as a whole or not at all.
 *
 * <p>A line without an end, as a process leaves it that is killed while it writes, is cut off when
 * the file is opened or added to, and a warning says so. An addition that fails, on a full disk
 * say, is taken back. Lines end by {@code \\n} on every platform; lines that another program ended
 * by {@code \\r\\n} are read, too.
 */
public final class LineLog {

    private static final System.Logger LOG = System.getLogger(LineLog.class.getName());

    /* File locks keep other processes out, not other threads of this one. */
    private static final Object ONE_AT_A_TIME = new Object();

    private final Path file;
    private final String what;
    private final String beginning;
    private final boolean header;

    private LineLog(Path file, String what, String beginning, boolean header) {
        this.file = file.toAbsolutePath();
        this.what = what;
        this.beginning = beginning;
        this.header = header;
    }

    /**
     * Opens a file whose first line says what it holds; the file is made with the first addition.
     *
     * @param file the file, which need not be there
     * @param what its contents, named for messages
     * @param header its first line, without an end
     * @return the log
     * @throws IllegalArgumentException if the file holds something else; it stays as it was
     * @throws IOException if it cannot be read
     */
    public static LineLog withHeader(Path file, String what, String header) throws IOException {
        LineLog log = new LineLog(file, what, header, true);
        log.open();
        return log;
    }

    /**
     * Opens a file without a header; the file is made with the first addition.
     *
     * @param file the file, which need not be there
     * @param what its contents, named for messages
     * @param beginning the begin of its first line
     * @return the log
     * @throws IllegalArgumentException if the file holds something else; it stays as it was
     * @throws IOException if it cannot be read
     */
    public static LineLog beginningWith(Path file, String what, String beginning)
            throws IOException {
        LineLog log = new LineLog(file, what, beginning, false);
        log.open();
        return log;
    }

    /**
     * Returns the file.
     *
     * @return an absolute path
     */
    public Path file() {
        return file;
    }

    private void open() throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        if (Files.isDirectory(file)) {
            throw new IOException(file + " is a folder, not a file");
        }
        synchronized (ONE_AT_A_TIME) {
            try (FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                Locks.await(channel, file, false);
                cutHalfLine(channel);
            } catch (FileSystemException e) {
                // A file that may only be read is read; whoever adds to it is told.
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                    requireOurs(channel);
                }
            }
        }
    }

    /**
     * Reads the whole lines that there are now, without the header.
     *
     * @return the lines, without their ends
     * @throws IllegalArgumentException if the file holds something else
     * @throws IOException if it cannot be read
     */
    public List<String> lines() throws IOException {
        String text;
        synchronized (ONE_AT_A_TIME) {
            if (!Files.exists(file)) {
                return List.of();
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                Locks.await(channel, file, true);
                requireOurs(channel);
                text = new String(bytes(channel), StandardCharsets.UTF_8);
            }
        }
        // Not String.lines(), which also ends lines where a lone \r stands.
        List<String> lines = new ArrayList<>();
        int from = 0;
        for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
            boolean carriage = end > from && text.charAt(end - 1) == '\r';
            lines.add(text.substring(from, carriage ? end - 1 : end));
            from = end + 1;
        }
        return header && !lines.isEmpty() ? lines.subList(1, lines.size()) : lines;
    }

    private byte[] bytes(FileChannel channel) throws IOException {
        long size = channel.size();
        Require.argument(
                size < Integer.MAX_VALUE - 8, "%s has %d bytes, too many to read", file, size);
        ByteBuffer bytes = ByteBuffer.allocate((int) size);
        long at = 0;
        while (bytes.hasRemaining()) {
            int read = channel.read(bytes, at);
            if (read < 0) {
                break;
            }
            at += read;
        }
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    /**
     * Adds lines.
     *
     * @param lines without ends
     * @throws IllegalArgumentException if a line has an end inside, or the file holds something
     *     else
     * @throws IOException if they cannot be added; none of them is then
     */
    public void add(List<String> lines) throws IOException {
        add(lines, false);
    }

    /**
     * Adds a line, which is on the disk when the method returns.
     *
     * @param line without an end
     * @throws IllegalArgumentException if it has an end inside, or the file holds something else
     * @throws IOException if it cannot be added; the file is then as it was
     */
    public void addToDisk(String line) throws IOException {
        add(List.of(line), true);
    }

    private void add(List<String> lines, boolean sync) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String line : lines) {
            Require.argument(
                    line.indexOf('\n') < 0, "%s: a line has an end inside: %s", file, line);
            text.append(line).append('\n');
        }
        synchronized (ONE_AT_A_TIME) {
            try (FileChannel channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE)) {
                Locks.await(channel, file, false);
                append(channel, text.toString(), sync);
            } catch (IOException e) {
                throw new IOException(
                        "cannot add to %s: %s; it has what it had before".formatted(file, e), e);
            }
        }
    }

    private void append(FileChannel channel, String text, boolean sync) throws IOException {
        cutHalfLine(channel);
        long end = channel.size();
        String all = header && end == 0 ? beginning + "\n" + text : text;
        try {
            ByteBuffer bytes = ByteBuffer.wrap(all.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes, channel.size());
            }
            if (sync) {
                channel.force(true);
            }
        } catch (IOException e) {
            takeBack(channel, end, e);
            throw e;
        }
    }

    private static void takeBack(FileChannel channel, long end, IOException failure) {
        try {
            channel.truncate(end);
        } catch (IOException e) {
            failure.addSuppressed(e); // the next one to open the file cuts it
        }
    }

    private void cutHalfLine(FileChannel channel) throws IOException {
        requireOurs(channel);
        long size = channel.size();
        long end = size;
        ByteBuffer one = ByteBuffer.allocate(1);
        while (end > 0 && channel.read(one.clear(), end - 1) == 1 && one.get(0) != '\n') {
            end--;
        }
        if (end < size) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "{0} ends inside a line, as a process leaves it that is killed or finds the"
                            + " disk full: its last {1} bytes are cut off",
                    file,
                    String.valueOf(size - end));
            channel.truncate(end);
        }
    }

    private void requireOurs(FileChannel channel) throws IOException {
        byte[] expected = beginning.getBytes(StandardCharsets.UTF_8);
        ByteBuffer found = ByteBuffer.allocate(expected.length + 2);
        long at = 0;
        for (int read = 0; read >= 0 && found.hasRemaining(); at += read) {
            read = channel.read(found, at);
        }
        int length = Math.min(found.position(), expected.length);
        boolean same = Arrays.equals(found.array(), 0, length, expected, 0, length);
        if (same && header && found.position() > length) {
            byte next = found.get(length);
            same = next == '\n' || (next == '\r' && found.get(length + 1) == '\n');
        }
        Require.argument(
                same,
                "%s holds something else than %s, whose %s %s; name another file, or"
                        + " delete it",
                file,
                what,
                header ? "first line is" : "lines begin with",
                beginning);
    }
}
