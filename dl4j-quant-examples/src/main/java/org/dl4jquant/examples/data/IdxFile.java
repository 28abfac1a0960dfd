// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * One file in MNIST's IDX format: two zero bytes, the type 8 (unsigned byte), the number of
 * dimensions, each dimension as a big-endian int32, then the bytes.
 *
 * @see <a href="http://yann.lecun.com/exdb/mnist/">The MNIST database, "file formats"</a>
 */
final class IdxFile {

    private static final int UNSIGNED_BYTES = 0x0800;
    private static final int GZIP_FIRST = 0x1f;
    private static final int GZIP_SECOND = 0x8b;

    private final Path path;
    private final List<Integer> dimensions;
    private final byte[] content;

    private IdxFile(Path path, List<Integer> dimensions, byte[] content) {
        this.path = path;
        this.dimensions = dimensions;
        this.content = content;
    }

    /**
     * Reads a file, gzipped or not, whatever its name says.
     *
     * @param rank how many dimensions it must have
     * @throws IOException if it cannot be read or is not such a file; the message names it
     */
    static IdxFile read(Path path, int rank) throws IOException {
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(path));
                InputStream in = unzipped(raw)) {
            return new Reader(path, in).read(rank);
        } catch (ZipException | EOFException e) {
            throw new IOException(
                    path + ": the gzip data are damaged or truncated; get the file again", e);
        }
    }

    private static InputStream unzipped(InputStream raw) throws IOException {
        raw.mark(2);
        boolean gzipped = raw.read() == GZIP_FIRST && raw.read() == GZIP_SECOND;
        raw.reset();
        return gzipped ? new GZIPInputStream(raw) : raw;
    }

    Path path() {
        return path;
    }

    int dimension(int axis) {
        return dimensions.get(axis);
    }

    byte[] content() {
        return content;
    }

    /** Reads the parts of one file in order. */
    private record Reader(Path path, InputStream in) {

        IdxFile read(int rank) throws IOException {
            requireMagic(in.readNBytes(Integer.BYTES), UNSIGNED_BYTES + rank);
            byte[] sizes = in.readNBytes(rank * Integer.BYTES);
            require(sizes.length == rank * Integer.BYTES, "the file ends within its header");
            ByteBuffer header = ByteBuffer.wrap(sizes);
            List<Integer> dimensions =
                    IntStream.range(0, rank).map(i -> header.getInt()).boxed().toList();
            return new IdxFile(path, dimensions, readContent(dimensions));
        }

        private void requireMagic(byte[] found, int expected) throws IOException {
            require(
                    found.length == Integer.BYTES && ByteBuffer.wrap(found).getInt() == expected,
                    "this is no IDX file of unsigned bytes in %d dimensions: it does not begin"
                            + " with %08x",
                    expected - UNSIGNED_BYTES,
                    expected);
        }

        private byte[] readContent(List<Integer> dimensions) throws IOException {
            long size = 1;
            for (int dimension : dimensions) {
                size *= dimension;
                require(
                        dimension > 0 && size < Integer.MAX_VALUE,
                        "the header's dimensions %s are not all above 0, or give 2 GiB and more",
                        dimensions);
            }
            byte[] bytes = in.readNBytes((int) size);
            require(
                    bytes.length == size && in.read() < 0,
                    "the header promises %d bytes, but the file holds %s",
                    size,
                    bytes.length == size ? "more" : bytes.length);
            return bytes;
        }

        @FormatMethod
        private void require(boolean condition, @FormatString String format, Object... args)
                throws IOException {
            if (!condition) {
                throw new IOException(
                        path
                                + ": "
                                + String.format(Locale.ROOT, format, args)
                                + "; get the file again");
            }
        }
    }
}
