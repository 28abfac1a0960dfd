// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.datavec.api.io.labels.ParentPathLabelGenerator;
import org.datavec.api.split.CollectionInputSplit;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.image.loader.NativeImageLoader;
import org.datavec.image.recordreader.ImageRecordReader;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder of images in the layout that DataVec's ImageRecordReader reads: {@code
 * train/<class>/<image>} and {@code test/<class>/<image>}.
 *
 * <p>All images are scaled to the size of the first one by name, and have three channels unless
 * that one is grey. They come in a fixed order that mixes the classes. Channels are in the order
 * blue, green, red, as DataVec reads them.
 */
public final class ImageFolder {

    private static final Logger log = LoggerFactory.getLogger(ImageFolder.class);

    private static final Set<String> FORMATS = Set.of(NativeImageLoader.ALLOWED_FORMATS);
    private static final long ORDER = 1;
    private static final int MAX_CLASSES = 256;
    private static final float MAX_PIXEL = 255;

    private ImageFolder() {}

    /**
     * {@return whether a folder has the two parts}
     *
     * @param folder any folder
     */
    public static boolean isIn(Path folder) {
        return Files.isDirectory(folder.resolve("train"))
                && Files.isDirectory(folder.resolve("test"));
    }

    /**
     * {@return the images of both parts}
     *
     * @param folder holds {@code train} and {@code test}
     * @throws IOException if a part has no image, an image cannot be read, or the test part has a
     *     class that the training part has not; the message names the file or folder
     */
    public static TrainTest load(Path folder) throws IOException {
        List<Path> train = images(folder.resolve("train"));
        List<Path> test = images(folder.resolve("test"));
        List<String> classes =
                train.stream().map(ImageFolder::className).distinct().sorted().toList();
        if (classes.size() > MAX_CLASSES) {
            throw new IOException(
                    "%s has %d classes; at most %d are read"
                            .formatted(folder.resolve("train"), classes.size(), MAX_CLASSES));
        }
        requireKnown(classes, test);
        Shape shape = shape(Collections.min(train));
        return new TrainTest(read(train, shape, classes), read(test, shape, classes));
    }

    /* In a fixed order that mixes the classes: the first few are a sample of all. */
    private static List<Path> images(Path part) throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.walk(part, 2)) {
            files =
                    found.filter(file -> part.relativize(file).getNameCount() == 2)
                            .filter(Files::isRegularFile)
                            .sorted(
                                    Comparator.comparing(ImageFolder::className)
                                            .thenComparing(Path::compareTo))
                            .toList();
        }
        List<Path> images = files.stream().filter(ImageFolder::isImage).toList();
        if (images.isEmpty()) {
            throw new IOException(
                    part + " holds no image; images are expected at " + part + "/<class>/<image>");
        }
        if (images.size() < files.size()) {
            log.info("{}: {} files are no images", part, files.size() - images.size());
        }
        List<Path> mixed = new ArrayList<>(images);
        Collections.shuffle(mixed, new Random(ORDER));
        return mixed;
    }

    private static String className(Path image) {
        return image.getName(image.getNameCount() - 2).toString();
    }

    private static boolean isImage(Path file) {
        String name = file.toString();
        return FORMATS.contains(name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT));
    }

    private static void requireKnown(List<String> classes, List<Path> test) throws IOException {
        Set<String> unknown = test.stream().map(ImageFolder::className).collect(Collectors.toSet());
        unknown.removeAll(classes);
        if (!unknown.isEmpty()) {
            throw new IOException(
                    "the test part has the classes %s, which the training part has not; it has %s"
                            .formatted(unknown, classes));
        }
    }

    private static Shape shape(Path image) throws IOException {
        try {
            INDArray pixels = new NativeImageLoader().asMatrix(image.toFile());
            return Shape.of((int) pixels.size(1), (int) pixels.size(2), (int) pixels.size(3));
        } catch (IOException | RuntimeException e) {
            throw unreadable(image, e);
        }
    }

    private static LabelledImages read(List<Path> files, Shape shape, List<String> classes)
            throws IOException {
        byte[] pixels = new byte[Math.multiplyExact(files.size(), shape.elements())];
        byte[] labels = new byte[files.size()];
        try (ImageRecordReader reader = reader(files, shape, classes)) {
            for (int i = 0; i < labels.length; i++) {
                labels[i] = readNext(reader, files.get(i), pixels, i * shape.elements());
            }
        }
        return LabelledImages.of(shape, pixels, labels, classes);
    }

    private static ImageRecordReader reader(List<Path> files, Shape shape, List<String> classes)
            throws IOException {
        ImageRecordReader reader =
                new ImageRecordReader(
                        shape.size(1),
                        shape.size(2),
                        shape.size(0),
                        new ParentPathLabelGenerator());
        List<URI> locations = new ArrayList<>(files.stream().map(Path::toUri).toList());
        reader.initialize(new CollectionInputSplit(locations));
        reader.setLabels(classes);
        return reader;
    }

    /* Writes one image's pixels and returns its label. */
    private static byte readNext(ImageRecordReader reader, Path file, byte[] target, int offset)
            throws IOException {
        try {
            var image = reader.next();
            float[] values = ((NDArrayWritable) image.get(0)).get().dup('c').data().asFloat();
            for (int i = 0; i < values.length; i++) {
                target[offset + i] = (byte) Math.round(Math.min(Math.max(values[i], 0), MAX_PIXEL));
            }
            return (byte) image.get(1).toInt();
        } catch (RuntimeException e) {
            throw unreadable(file, e);
        }
    }

    private static IOException unreadable(Path image, Exception cause) {
        return new IOException(image + " cannot be read as an image; replace or remove it", cause);
    }
}
