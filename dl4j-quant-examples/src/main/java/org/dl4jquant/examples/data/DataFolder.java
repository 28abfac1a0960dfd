// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The user's own data, in one of the two layouts that the examples read. */
public final class DataFolder {

    private DataFolder() {}

    /**
     * {@return the images in a folder}
     *
     * @param folder holds MNIST's files, see {@link IdxImages}, or images, see {@link ImageFolder}
     * @throws IOException if there is no such folder, it has neither layout, or something in it
     *     cannot be read; the message says what and where
     */
    public static TrainTest load(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(
                    folder.toString(), null, "there is no such folder; name one that holds images");
        }
        if (IdxImages.isIn(folder)) {
            return IdxImages.load(folder);
        }
        if (ImageFolder.isIn(folder)) {
            return ImageFolder.load(folder);
        }
        throw new IOException(
                folder
                        + " holds neither train-images-idx3-ubyte (MNIST's own files, plain or"
                        + " gzipped) nor train/<class>/<image> and test/<class>/<image>");
    }
}
