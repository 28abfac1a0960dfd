// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DataFolderTest {

    @TempDir Path folder;

    private void image(String name, int type, int width, int height, Color colour)
            throws IOException {
        BufferedImage image = new BufferedImage(width, height, type);
        for (int x = 0; x < width; x++) {
            for (int y = 0; y < height; y++) {
                image.setRGB(x, y, colour.getRGB());
            }
        }
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        ImageIO.write(image, "png", file.toFile());
    }

    private void colour(String name, Color colour) throws IOException {
        image(name, BufferedImage.TYPE_INT_RGB, 2, 3, colour);
    }

    @Test
    void readsAnImageFolderClassByClass() throws IOException {
        colour("train/sky/a.png", new Color(10, 20, 200));
        colour("train/grass/b.png", new Color(10, 220, 30));
        colour("test/sky/c.png", new Color(0, 0, 255));
        Files.writeString(folder.resolve("train/sky/notes.txt"), "no image");
        TrainTest data = DataFolder.load(folder);
        assertEquals(List.of("grass", "sky"), data.train().classes());
        assertEquals(Shape.of(3, 3, 2), data.train().shape());
        assertEquals(2, data.train().size());
        assertEquals(0, data.train().label(0));
        assertEquals(1, data.test().label(0));
        float[] blueFirst = data.train().batch(0, 1).values();
        assertArrayEquals(
                new float[] {30 / 255f, 220 / 255f, 10 / 255f},
                new float[] {blueFirst[0], blueFirst[6], blueFirst[12]});
    }

    @Test
    void greyImagesHaveOneChannelAndOthersAreScaledToTheFirst() throws IOException {
        image("train/a/1.png", BufferedImage.TYPE_BYTE_GRAY, 4, 4, Color.WHITE);
        image("train/b/1.png", BufferedImage.TYPE_BYTE_GRAY, 8, 6, Color.WHITE);
        image("test/b/1.png", BufferedImage.TYPE_BYTE_GRAY, 4, 4, Color.BLACK);
        TrainTest data = DataFolder.load(folder);
        assertEquals(Shape.of(1, 4, 4), data.train().shape());
        assertEquals(1, data.train().batch(1, 2).values()[15]);
        assertEquals(0, data.test().batch(0, 1).values()[15]);
    }

    @Test
    void readsMnistFilesToo() throws IOException {
        Files.write(folder.resolve("train-images-idx3-ubyte"), new byte[0]);
        String message = assertThrows(IOException.class, this::load).getMessage();
        assertTrue(
                message.startsWith(folder.resolve("train-images-idx3-ubyte") + ": this is no IDX"),
                message);
    }

    @Test
    void refusesAFolderThatIsNotThere() {
        Path missing = folder.resolve("nowhere");
        assertEquals(
                missing + ": there is no such folder; name one that holds images",
                assertThrows(IOException.class, () -> DataFolder.load(missing)).getMessage());
    }

    @Test
    void refusesAFolderOfAnotherLayout() {
        refuses(
                folder
                        + " holds neither train-images-idx3-ubyte (MNIST's own files, plain or"
                        + " gzipped) nor train/<class>/<image> and test/<class>/<image>");
    }

    @Test
    void refusesAPartWithoutImages() throws IOException {
        colour("train/sky/a.png", Color.BLUE);
        Files.createDirectories(folder.resolve("test/sky"));
        Path part = folder.resolve("test");
        refuses(part + " holds no image; images are expected at " + part + "/<class>/<image>");
    }

    @Test
    void refusesAClassThatIsOnlyInTheTestPart() throws IOException {
        colour("train/sky/a.png", Color.BLUE);
        colour("test/sea/a.png", Color.BLUE);
        refuses(
                "the test part has the classes [sea], which the training part has not; it has"
                        + " [sky]");
    }

    @Test
    void refusesADamagedImage() throws IOException {
        colour("train/sky/a.png", Color.BLUE);
        colour("test/sky/a.png", Color.BLUE);
        Path damaged = folder.resolve("train/sky/b.png");
        Files.writeString(damaged, "this is not a image");
        refuses(damaged + " cannot be read as an image; replace or remove it");
        Path first = folder.resolve("train/sky/0.png");
        Files.writeString(first, "nor is this");
        refuses(first + " cannot be read as an image; replace or remove it");
    }

    private TrainTest load() throws IOException {
        return DataFolder.load(folder);
    }

    private void refuses(String message) {
        assertEquals(message, assertThrows(IOException.class, this::load).getMessage());
    }
}
