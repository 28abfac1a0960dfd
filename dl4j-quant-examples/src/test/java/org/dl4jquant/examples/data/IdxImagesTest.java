// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class IdxImagesTest {

    private static final String TRAIN_IMAGES = "train-images-idx3-ubyte";
    private static final String TRAIN_LABELS = "train-labels-idx1-ubyte";
    private static final String TEST_IMAGES = "t10k-images-idx3-ubyte";
    private static final String TEST_LABELS = "t10k-labels-idx1-ubyte";
    private static final int IMAGES = 0x0803;
    private static final int LABELS = 0x0801;

    @TempDir Path folder;

    @BeforeEach
    void twoImagesToTrainWithAndOneToTest() throws IOException {
        write(TRAIN_IMAGES, idx(IMAGES, new int[] {2, 1, 2}, 0, 255, 51, 102));
        write(TRAIN_LABELS, idx(LABELS, new int[] {2}, 7, 3));
        write(TEST_IMAGES, idx(IMAGES, new int[] {1, 1, 2}, 1, 2));
        write(TEST_LABELS, idx(LABELS, new int[] {1}, 9));
    }

    private void write(String name, byte[] bytes) throws IOException {
        Files.write(folder.resolve(name), bytes);
    }

    private static byte[] idx(int magic, int[] dimensions, int... content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(magic);
        for (int dimension : dimensions) {
            out.writeInt(dimension);
        }
        for (int value : content) {
            out.writeByte(value);
        }
        return bytes.toByteArray();
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(zipped)) {
            out.write(bytes);
        }
        return zipped.toByteArray();
    }

    @Test
    void readsImagesAndLabels() throws IOException {
        TrainTest data = IdxImages.load(folder);
        assertEquals(Shape.of(1, 1, 2), data.train().shape());
        assertArrayEquals(new float[] {0, 1, 0.2f, 0.4f}, data.train().batch(0, 2).values());
        assertEquals(7, data.train().label(0));
        assertEquals(9, data.test().label(0));
        assertEquals(10, data.test().classes().size());
    }

    @Test
    void gzippedFilesAndDottedNamesHoldTheSame() throws IOException {
        TrainTest plain = IdxImages.load(folder);
        for (String name : new String[] {TRAIN_IMAGES, TRAIN_LABELS, TEST_LABELS}) {
            byte[] bytes = Files.readAllBytes(folder.resolve(name));
            Files.delete(folder.resolve(name));
            write(name.replace("-idx", ".idx") + ".gz", gzip(bytes));
        }
        write(TEST_IMAGES, gzip(Files.readAllBytes(folder.resolve(TEST_IMAGES))));
        assertEquals(plain, IdxImages.load(folder));
        assertTrue(IdxImages.isIn(folder));
    }

    @Test
    void moreThanTenClassesAreCountedFromTheLabels() throws IOException {
        write(TRAIN_LABELS, idx(LABELS, new int[] {2}, 46, 3));
        assertEquals(47, IdxImages.load(folder).test().classes().size());
    }

    @Test
    void refusesAMissingFile() throws IOException {
        Files.delete(folder.resolve(TEST_LABELS));
        refuses(
                folder
                        + " holds no file t10k-labels-idx1-ubyte, nor with .gz; MNIST consists of"
                        + " four such files");
    }

    @Test
    void refusesAFileOfAnotherFormat() throws IOException {
        write(TRAIN_LABELS, idx(IMAGES, new int[] {2}, 7, 3));
        refuses(
                folder.resolve(TRAIN_LABELS)
                        + ": this is no IDX file of unsigned bytes in 1 dimensions: it does not"
                        + " begin with 00000801; get the file again");
        write(TRAIN_IMAGES, new byte[] {0, 0});
        refuses(
                folder.resolve(TRAIN_IMAGES)
                        + ": this is no IDX file of unsigned bytes in 3 dimensions: it does not"
                        + " begin with 00000803; get the file again");
    }

    @Test
    void refusesATruncatedFile() throws IOException {
        byte[] whole = Files.readAllBytes(folder.resolve(TRAIN_IMAGES));
        write(TRAIN_IMAGES, Arrays.copyOf(whole, whole.length - 1));
        refuses(
                folder.resolve(TRAIN_IMAGES)
                        + ": the header promises 4 bytes, but the file holds 3; get the file"
                        + " again");
        write(TRAIN_IMAGES, Arrays.copyOf(whole, 9));
        refuses(
                folder.resolve(TRAIN_IMAGES)
                        + ": the file ends within its header; get the file again");
        byte[] zipped = gzip(whole);
        write(TRAIN_IMAGES, Arrays.copyOf(zipped, zipped.length - 9));
        refuses(
                folder.resolve(TRAIN_IMAGES)
                        + ": the gzip data are damaged or truncated; get the file again");
    }

    @Test
    void refusesAFileThatIsLongerThanItSays() throws IOException {
        write(TEST_LABELS, idx(LABELS, new int[] {1}, 9, 9));
        refuses(
                folder.resolve(TEST_LABELS)
                        + ": the header promises 1 bytes, but the file holds more; get the file"
                        + " again");
    }

    @Test
    void refusesDimensionsThatCannotBe() throws IOException {
        write(TEST_IMAGES, idx(IMAGES, new int[] {1 << 20, 1 << 10, 1 << 10}));
        refuses(
                folder.resolve(TEST_IMAGES)
                        + ": the header's dimensions [1048576, 1024, 1024] are not all above 0,"
                        + " or give 2 GiB and more; get the file again");
        write(TEST_IMAGES, idx(IMAGES, new int[] {1, -1, 2}));
        refuses(
                folder.resolve(TEST_IMAGES)
                        + ": the header's dimensions [1, -1, 2] are not all above 0, or give 2"
                        + " GiB and more; get the file again");
    }

    @Test
    void refusesFilesThatDoNotBelongTogether() throws IOException {
        write(TRAIN_LABELS, idx(LABELS, new int[] {1}, 7));
        refuses(
                folder.resolve(TRAIN_IMAGES)
                        + " has 2 images, but "
                        + folder.resolve(TRAIN_LABELS)
                        + " has 1 labels; they do not belong together");
        write(TEST_IMAGES, idx(IMAGES, new int[] {1, 2, 1}, 1, 2));
        refuses(
                folder.resolve(TRAIN_IMAGES)
                        + " has images of 1 x 2 pixels and "
                        + folder.resolve(TEST_IMAGES)
                        + " of 2 x 1; they must be the same");
    }

    private void refuses(String message) {
        assertEquals(
                message,
                assertThrows(IOException.class, () -> IdxImages.load(folder)).getMessage());
    }

    @Test
    void readsMnistItself() throws IOException {
        assumeTrue(MnistData.isHere(), MnistData.WHY_NOT);
        TrainTest mnist = IdxImages.load(MnistData.folder());
        assertEquals(Shape.of(1, 28, 28), mnist.train().shape());
        assertEquals(7000, mnist.train().size());
        assertEquals(1500, mnist.test().size());
    }
}
