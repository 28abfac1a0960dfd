// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Images of one size with a class each, in memory as bytes; a pixel's value is its byte / 255.
 *
 * <p>For speed the arrays are not copied in: whoever makes an object must not write to them
 * afterwards.
 */
public final class LabelledImages {

    private static final float WHITE = 255;

    private final Shape shape;
    private final byte[] pixels;
    private final byte[] labels;
    private final List<String> classes;

    private LabelledImages(Shape shape, byte[] pixels, byte[] labels, List<String> classes) {
        this.shape = shape;
        this.pixels = pixels;
        this.labels = labels;
        this.classes = classes;
    }

    /**
     * {@return these images}
     *
     * @param shape one image's channels, height and width
     * @param pixels uint8, image by image, each [channels, height, width] row-major
     * @param labels each image's class, uint8, an index into {@code classes}
     * @param classes the classes' names, at most 256
     * @throws IllegalArgumentException if there is no image, the lengths do not fit, or a label is
     *     no class
     */
    public static LabelledImages of(
            Shape shape, byte[] pixels, byte[] labels, List<String> classes) {
        Require.argument(
                shape.isImage(), "shape %s is not one of channels, height and width", shape);
        Require.argument(labels.length > 0, "there is no image");
        Require.argument(
                (long) labels.length * shape.elements() == pixels.length,
                "%d labels need %d bytes of pixels %s, but there are %d",
                labels.length,
                (long) labels.length * shape.elements(),
                shape,
                pixels.length);
        for (int i = 0; i < labels.length; i++) {
            Require.argument(
                    (labels[i] & 0xff) < classes.size(),
                    "label %d of image %d is not below the number of classes, %d",
                    labels[i] & 0xff,
                    i,
                    classes.size());
        }
        return new LabelledImages(shape, pixels, labels, List.copyOf(classes));
    }

    /** {@return how many images there are} */
    public int size() {
        return labels.length;
    }

    /** {@return one image's channels, height and width} */
    public Shape shape() {
        return shape;
    }

    /** {@return the names of the classes, in the order of their labels} */
    public List<String> classes() {
        return classes;
    }

    /**
     * {@return a image's class}
     *
     * @param index from 0
     */
    public int label(int index) {
        return labels[index] & 0xff;
    }

    /**
     * {@return the first images, at most as many as there are}
     *
     * @param count how many, above 0
     */
    public LabelledImages first(int count) {
        Require.argument(count > 0, "%d images are asked for; ask for one at least", count);
        int kept = Math.min(count, size());
        return new LabelledImages(
                shape,
                Arrays.copyOf(pixels, kept * shape.elements()),
                Arrays.copyOf(labels, kept),
                classes);
    }

    /**
     * {@return the images from one on}
     *
     * @param index of the first of them, from 0, below {@link #size()}
     */
    public LabelledImages from(int index) {
        Require.argument(
                index >= 0 && index < size(),
                "images from %d on are asked for, and there are %d",
                index,
                size());
        return new LabelledImages(
                shape,
                Arrays.copyOfRange(pixels, index * shape.elements(), pixels.length),
                Arrays.copyOfRange(labels, index, labels.length),
                classes);
    }

    /**
     * {@return the images in order, for DL4J's {@code evaluate} and for calibration}
     *
     * @param batchSize how many at a time, above 0; the last batch may be smaller
     */
    public DataSetIterator inOrder(int batchSize) {
        return new ImageIterator(this, batchSize, null);
    }

    /**
     * {@return the images for DL4J's {@code fit}, in another order in each epoch}
     *
     * @param batchSize how many at a time, above 0; the last batch may be smaller
     * @param seed decides over all orders
     */
    public DataSetIterator shuffled(int batchSize, long seed) {
        return new ImageIterator(this, batchSize, seed);
    }

    /**
     * {@return some images as an engine takes them}
     *
     * @param from the first image, from 0
     * @param to after the last image, above {@code from}
     */
    public Batch.Floats batch(int from, int to) {
        Objects.checkFromToIndex(from, to, size());
        float[] values = new float[(to - from) * shape.elements()];
        for (int i = from; i < to; i++) {
            copyValues(i, values, (i - from) * shape.elements());
        }
        return Batch.Floats.of(to - from, shape, values);
    }

    /** Writes one image's values, between 0 and 1, into an array. */
    void copyValues(int index, float[] target, int offset) {
        int start = index * shape.elements();
        for (int i = 0; i < shape.elements(); i++) {
            target[offset + i] = (pixels[start + i] & 0xff) / WHITE;
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LabelledImages that
                && shape.equals(that.shape)
                && classes.equals(that.classes)
                && Arrays.equals(labels, that.labels)
                && Arrays.equals(pixels, that.pixels);
    }

    @Override
    public int hashCode() {
        return Objects.hash(shape, classes, Arrays.hashCode(labels), Arrays.hashCode(pixels));
    }

    @Override
    public String toString() {
        return size() + " images " + shape + " of " + classes.size() + " classes";
    }
}
