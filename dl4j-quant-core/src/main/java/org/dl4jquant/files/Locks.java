// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.OverlappingFileLockException;
import org.jspecify.annotations.Nullable;

/** Locks that keep processes from writing one file at a time; where there are none, a word. */
final class Locks {

    private static final System.Logger LOG = System.getLogger(Locks.class.getName());

    private Locks() {}

    /** The state of a lock. */
    enum Found {
        OURS,
        OTHERS,
        UNSUPPORTED
    }

    /** Waits for a file; the lock goes with the channel. */
    static void await(FileChannel channel, Object file, boolean shared) throws IOException {
        try {
            FileLock lock = channel.lock(0, Long.MAX_VALUE, shared);
            if (!lock.isValid()) {
                throw new IOException("the lock of " + file + " is not valid");
            }
        } catch (FileLockInterruptionException | ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            warn(file, e);
        }
    }

    /** {@return whether a file could be locked until its channel is closed} */
    static Found claim(FileChannel channel, Object file) {
        try {
            @Nullable FileLock lock = channel.tryLock();
            return lock == null ? Found.OTHERS : Found.OURS;
        } catch (OverlappingFileLockException e) {
            return Found.OTHERS;
        } catch (IOException e) {
            warn(file, e);
            return Found.UNSUPPORTED;
        }
    }

    private static void warn(Object file, IOException cause) {
        LOG.log(
                System.Logger.Level.WARNING,
                "{0} cannot be locked ({1}): let no other process write it at the same time",
                file,
                cause.toString());
    }
}
