// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/**
 * What a file hands on to the one that replaces it: mode, owner and group, where there are such.
 */
final class FormerFile {

    private static final System.Logger LOG = System.getLogger(FormerFile.class.getName());

    private final Path file;
    private final @Nullable PosixFileAttributes found;

    private FormerFile(Path file, @Nullable PosixFileAttributes found) {
        this.file = file;
        this.found = found;
    }

    /* A file that may not be written to is protected, even where its folder is not. */
    static FormerFile of(Path file) throws IOException {
        if (Files.exists(file) && !Files.isWritable(file)) {
            throw new AccessDeniedException(file.toString(), null, "the file is read-only");
        }
        PosixFileAttributeView view =
                Files.getFileAttributeView(file, PosixFileAttributeView.class);
        try {
            return new FormerFile(file, view == null ? null : view.readAttributes());
        } catch (NoSuchFileException e) {
            return new FormerFile(file, null);
        }
    }

    /** {@return the attributes of a new draft, which nobody may read who may not read the file} */
    FileAttribute<?>[] attributes() {
        return found == null
                ? new FileAttribute<?>[0]
                : new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(found.permissions())
                };
    }

    /** Gives a draft what the file has. */
    void giveTo(Path draft) throws IOException {
        if (found == null) {
            return;
        }
        PosixFileAttributeView view =
                Files.getFileAttributeView(draft, PosixFileAttributeView.class);
        PosixFileAttributes now = view.readAttributes();
        try {
            if (!now.group().equals(found.group())) {
                view.setGroup(found.group());
            }
            if (!now.owner().equals(found.owner())) {
                view.setOwner(found.owner());
            }
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "{0} belonged to {1}:{2}, and this user cannot give it to them: {3}",
                    file,
                    found.owner().getName(),
                    found.group().getName(),
                    e.toString());
        }
        view.setPermissions(found.permissions());
    }
}
