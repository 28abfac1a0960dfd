// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jquant.numeric.Shape;

/**
 * A folder with MNIST's own four files, or others of their format (Fashion-MNIST, EMNIST), plain or
 * gzipped: {@code train-images-idx3-ubyte}, {@code train-labels-idx1-ubyte}, {@code
 * t10k-images-idx3-ubyte}, {@code t10k-labels-idx1-ubyte}, each perhaps with {@code .gz}.
 *
 * @see <a href="http://yann.lecun.com/exdb/mnist/">The MNIST database</a>
 */
public final class IdxImages {

    private static final int IMAGE_RANK = 3;
    private static final int LABEL_RANK = 1;
    private static final int DIGITS = 10;

    private IdxImages() {}

    /**
     * {@return whether a folder holds such a file}
     *
     * @param folder any folder
     */
    public static boolean isIn(Path folder) {
        return find(folder, "train-images", IMAGE_RANK).isPresent();
    }

    /**
     * {@return the images and labels of the folder's four files}
     *
     * @param folder where the files are
     * @throws IOException if a file is missing, unreadable, truncated or of another format; the
     *     message names it and says what was found
     */
    public static TrainTest load(Path folder) throws IOException {
        IdxFile trainImages = read(folder, "train-images", IMAGE_RANK);
        IdxFile trainLabels = read(folder, "train-labels", LABEL_RANK);
        IdxFile testImages = read(folder, "t10k-images", IMAGE_RANK);
        IdxFile testLabels = read(folder, "t10k-labels", LABEL_RANK);
        int classes = Math.max(DIGITS, 1 + Math.max(largest(trainLabels), largest(testLabels)));
        if (trainImages.dimension(1) != testImages.dimension(1)
                || trainImages.dimension(2) != testImages.dimension(2)) {
            throw new IOException(
                    "%s has images of %d x %d pixels and %s of %d x %d; they must be the same"
                            .formatted(
                                    trainImages.path(),
                                    trainImages.dimension(1),
                                    trainImages.dimension(2),
                                    testImages.path(),
                                    testImages.dimension(1),
                                    testImages.dimension(2)));
        }
        return new TrainTest(
                images(trainImages, trainLabels, classes), images(testImages, testLabels, classes));
    }

    private static IdxFile read(Path folder, String part, int rank) throws IOException {
        Path file =
                find(folder, part, rank)
                        .orElseThrow(
                                () ->
                                        new IOException(
                                                "%s holds no file %s-idx%d-ubyte, nor with .gz;"
                                                                .formatted(folder, part, rank)
                                                        + " MNIST consists of four such files"));
        return IdxFile.read(file, rank);
    }

    /* Some copies of MNIST were unpacked by programs that wrote a dot for the second dash. */
    private static Optional<Path> find(Path folder, String part, int rank) {
        String plain = part + "-idx" + rank + "-ubyte";
        String dotted = part + ".idx" + rank + "-ubyte";
        return Stream.of(plain, plain + ".gz", dotted, dotted + ".gz")
                .map(folder::resolve)
                .filter(Files::isRegularFile)
                .findFirst();
    }

    private static int largest(IdxFile labels) {
        return IntStream.range(0, labels.content().length)
                .map(i -> labels.content()[i] & 0xff)
                .max()
                .orElseThrow();
    }

    private static LabelledImages images(IdxFile images, IdxFile labels, int classes)
            throws IOException {
        if (images.dimension(0) != labels.dimension(0)) {
            throw new IOException(
                    "%s has %d images, but %s has %d labels; they do not belong together"
                            .formatted(
                                    images.path(),
                                    images.dimension(0),
                                    labels.path(),
                                    labels.dimension(0)));
        }
        List<String> names = IntStream.range(0, classes).mapToObj(String::valueOf).toList();
        return LabelledImages.of(
                Shape.of(1, images.dimension(1), images.dimension(2)),
                images.content(),
                labels.content(),
                names);
    }
}
