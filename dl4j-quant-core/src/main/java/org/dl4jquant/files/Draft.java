// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A file that is being written and will take another one's place.
 *
 * <p>Its name is made of the other's, so that a later save finds the drafts of processes that were
 * killed: those that nobody has locked. A draft stays locked until it is moved or removed.
 */
final class Draft implements AutoCloseable {

    private static final int NAME_DIGITS = 12;

    /* Another process may take a new draft for an abandoned one before it is locked; that this
     * happens twice in a row is unlikely, ten times is another fault. */
    private static final int TRIES = 10;

    /* A process that opens and closes its own draft again would lose the lock. */
    private static final Set<Path> OURS = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final SeekableByteChannel channel;
    private boolean moved;

    private Draft(Path path, SeekableByteChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * {@return an empty draft, locked}
     *
     * @param target whose place it will take
     * @param attributes the attributes of the new file
     */
    static Draft of(Path target, FileAttribute<?>... attributes) throws IOException {
        String name = String.valueOf(target.getFileName());
        String prefix = "." + Checksum.sha256Hex(name).substring(0, NAME_DIGITS) + "-";
        Path folder = WholeFile.folder(target);
        removeAbandoned(folder, prefix);
        for (int attempt = 1; ; attempt++) {
            Path path = folder.resolve(prefix + UUID.randomUUID() + ".part");
            OURS.add(path);
            Draft draft = open(path, attributes);
            if (draft.lock() || attempt == TRIES) {
                return draft;
            }
            draft.close();
        }
    }

    private static Draft open(Path path, FileAttribute<?>... attributes) throws IOException {
        try {
            return new Draft(
                    path,
                    Files.newByteChannel(
                            path,
                            EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                            attributes));
        } catch (IOException | RuntimeException e) {
            OURS.remove(path);
            throw e;
        }
    }

    private boolean lock() {
        if (!(channel instanceof FileChannel file)) {
            return true;
        }
        try {
            return file.tryLock() != null && Files.exists(path);
        } catch (IOException e) {
            // Where there are no locks, nobody removes what he cannot lock.
            return true;
        }
    }

    @SuppressWarnings("EmptyCatch")
    private static void removeAbandoned(Path folder, String prefix) {
        try (DirectoryStream<Path> drafts =
                Files.newDirectoryStream(
                        folder, each -> isDraft(String.valueOf(each.getFileName()), prefix))) {
            for (Path each : drafts) {
                if (!OURS.contains(each)) {
                    removeUnlocked(each);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // A folder may be written to and not listed; if it is not there, its file says so.
        }
    }

    private static boolean isDraft(String name, String prefix) {
        return name.startsWith(prefix) && name.endsWith(".part");
    }

    @SuppressWarnings("EmptyCatch")
    private static void removeUnlocked(Path draft) {
        try (FileChannel channel = FileChannel.open(draft, StandardOpenOption.WRITE)) {
            @Nullable FileLock lock = channel.tryLock();
            if (lock != null) {
                Files.deleteIfExists(draft);
            }
        } catch (IOException | OverlappingFileLockException | UnsupportedOperationException e) {
            // It is in use, gone, or another user's: not ours to remove.
        }
    }

    Path path() {
        return path;
    }

    SeekableByteChannel channel() {
        return channel;
    }

    /** Returns when the bytes are on the disk. */
    void sync() throws IOException {
        if (channel instanceof FileChannel file) {
            file.force(true);
        } else {
            channel.close();
        }
    }

    /** Says that it has taken the place. */
    void moved() {
        moved = true;
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            if (!moved) {
                Files.deleteIfExists(path);
            }
            OURS.remove(path);
        }
    }
}
