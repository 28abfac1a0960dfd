// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.CopyOption;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * Writes files that are complete or not there: a full disk, a failure or a kill leaves the former
 * file as it was.
 *
 * <p>What is written goes to a draft in the same folder, reaches the disk, and then takes the
 * file's place in one move. The file keeps the former one's mode, owner and group; a new one has
 * the usual mode of a new file. A symbolic link stays, and what it points to is replaced; other
 * hard links keep the former content. What is no ordinary file, such as {@code /dev/stdout}, is
 * written to as it is.
 *
 * <p>A failed save removes its draft. That of a process that was killed goes with the next save of
 * the same file. Where a file system cannot replace a file in one move, a warning says so, and the
 * file is replaced by the moves that it has.
 */
public final class WholeFile {

    /* As many as Linux follows. */
    private static final int MOST_LINKS = 40;

    private static final System.Logger LOG = System.getLogger(WholeFile.class.getName());

    private WholeFile() {}

    /** The content of a file. */
    @FunctionalInterface
    public interface Content {

        /**
         * Writes it.
         *
         * @param out is buffered; may be closed or not
         * @throws IOException if it cannot be made or written; the file is then left as it was
         */
        void writeTo(OutputStream out) throws IOException;
    }

    /** Moves a draft to its place; tests have moves that fail. */
    @FunctionalInterface
    interface Mover {
        void move(Path from, Path to, CopyOption... options) throws IOException;
    }

    /**
     * Writes a file, or replaces it.
     *
     * @param file in a folder that exists
     * @param bytes its content
     * @throws IOException if it cannot be written; the file is then as it was
     */
    public static void write(Path file, byte[] bytes) throws IOException {
        write(file, out -> out.write(bytes));
    }

    /**
     * Writes a file of text in UTF-8, or replaces it. Lines end as the text has them.
     *
     * @param file in a folder that exists
     * @param text its content
     * @throws IOException if it cannot be written; the file is then as it was
     */
    public static void write(Path file, String text) throws IOException {
        write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Writes a file, or replaces it.
     *
     * @param file in a folder that exists
     * @param content its content
     * @throws IOException if it cannot be written, or the content throws it; the file is then as it
     *     was. Whatever else the content throws is thrown on, too
     */
    public static void write(Path file, Content content) throws IOException {
        write(file, content, Files::move);
    }

    static void write(Path file, Content content, Mover mover) throws IOException {
        try {
            Path target = target(file);
            if (Files.exists(target) && !Files.isRegularFile(target)) {
                try (OutputStream out = Files.newOutputStream(target, StandardOpenOption.WRITE)) {
                    content.writeTo(out);
                }
                return;
            }
            replace(target, content, mover);
        } catch (IOException e) {
            throw new IOException(
                    "cannot write %s: %s; what was there before is unchanged"
                            .formatted(file.toAbsolutePath(), reason(file, e)),
                    e);
        }
    }

    private static String reason(Path file, IOException failure) {
        Path folder = folder(targetIfAny(file));
        if (!Files.isDirectory(folder)) {
            return "there is no folder %s; make it, or name a file in another".formatted(folder);
        }
        if (failure instanceof ClosedByInterruptException) {
            return "its thread was interrupted";
        }
        boolean bare = failure instanceof FileSystemException || failure.getMessage() == null;
        return bare
                ? failure.getClass().getSimpleName() + ": " + failure.getMessage()
                : String.valueOf(failure.getMessage());
    }

    private static Path targetIfAny(Path file) {
        try {
            return target(file);
        } catch (IOException e) {
            return file.toAbsolutePath();
        }
    }

    private static void replace(Path target, Content content, Mover mover) throws IOException {
        FormerFile former = FormerFile.of(target);
        try (Draft draft = Draft.of(target, former.attributes())) {
            OutputStream out = new Unclosed(Channels.newOutputStream(draft.channel()));
            content.writeTo(out);
            out.flush();
            former.giveTo(draft.path());
            draft.sync();
            move(draft.path(), target, mover);
            draft.moved();
        }
        syncFolder(folder(target));
    }

    private static void move(Path draft, Path target, Mover mover) throws IOException {
        try {
            mover.move(
                    draft,
                    target,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the file system of {0} cannot replace a file in one step ({1}); a process"
                            + " that is killed now may leave no file, or its draft {2}",
                    target,
                    e.getReason(),
                    draft.getFileName());
            mover.move(draft, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /* The move itself must survive a power cut. Windows opens no folders, and needs not. */
    @SuppressWarnings("EmptyCatch")
    private static void syncFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException | UnsupportedOperationException e) {
            // The file is whole and in its place; when the folder reaches the disk is the system's.
        }
    }

    /**
     * Returns what a path means after its symbolic links, whether it exists or not.
     *
     * @param file a path
     * @return a path that is no symbolic link
     * @throws IOException if links form a circle
     */
    static Path target(Path file) throws IOException {
        Path at = file.toAbsolutePath();
        for (int links = 0; Files.isSymbolicLink(at); links++) {
            if (links == MOST_LINKS) {
                throw new IOException("its symbolic links form a circle");
            }
            at = folder(at).resolve(Files.readSymbolicLink(at));
        }
        if (Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException("it is a folder");
        }
        return at;
    }

    static Path folder(Path absolute) {
        Path folder = absolute.getParent();
        Require.argument(folder != null, "%s is no file", absolute);
        return Objects.requireNonNull(folder);
    }
}
