// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.files.Mutations;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GoldenRunTest {

    private static final int HEAD_BYTES = 12;

    @TempDir Path folder;

    private static GoldenRun run() {
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        inputs.put("eingänge", Batch.Floats.of(2, Shape.of(2, 3), ramp(12)));
        inputs.put("b", Batch.Floats.of(2, Shape.of(1), ramp(2)));
        Map<String, String> results = new LinkedHashMap<>();
        results.put("conv", Checksum.sha256Hex("conv"));
        results.put("out", Checksum.sha256Hex("out"));
        return new GoldenRun(inputs, results);
    }

    private static float[] ramp(int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = i * 0.37f - 1;
        }
        return values;
    }

    private static String text(GoldenRun run) {
        StringBuilder text = new StringBuilder();
        run.inputs()
                .forEach(
                        (name, batch) ->
                                text.append(name + batch + Arrays.toString(batch.values())));
        return text + run.results().toString();
    }

    private Path write() throws IOException {
        Path file = folder.resolve("model.golden");
        run().write(file);
        return file;
    }

    @Test
    void aRunIsReadBackWithItsOrder() throws IOException {
        GoldenRun read = GoldenRun.read(write());
        assertEquals(text(run()), text(read));
        assertEquals(List.of("eingänge", "b"), List.copyOf(read.inputs().keySet()));
    }

    @Test
    void noDamageGoesUnseen() throws IOException {
        survives(Mutations.FEW);
    }

    @Test
    @Tag("thorough")
    void noDamageOfManyGoesUnseen() throws IOException {
        survives(Mutations.MANY);
    }

    private void survives(int count) throws IOException {
        byte[] whole = Files.readAllBytes(write());
        Path damaged = folder.resolve("damaged.golden");
        int refused =
                Mutations.survive(
                        whole,
                        count,
                        bytes -> {
                            Files.write(damaged, bytes);
                            String found = text(GoldenRun.read(damaged));
                            return found.equals(text(run())) ? "" : found;
                        });
        assertTrue(refused > count / 2, refused + " are refused");
    }

    /* Whoever makes a file on purpose gives it the right checksum. */
    @Test
    void claimsOfMoreThanIsThereAreRefusedBeforeAnythingIsAllocated() throws IOException {
        byte[] whole = Files.readAllBytes(write());
        byte[] content = Arrays.copyOfRange(whole, HEAD_BYTES, whole.length);
        for (int at = 0; at + Integer.BYTES <= content.length; at++) {
            for (int claim : new int[] {Integer.MAX_VALUE, 1 << 30, -1, Integer.MIN_VALUE}) {
                byte[] changed = content.clone();
                ByteBuffer.wrap(changed).putInt(at, claim);
                try {
                    GoldenRun.read(hostile(changed));
                } catch (IOException e) {
                    assertTrue(e.getMessage().contains("is a damaged golden run"), e.getMessage());
                }
            }
        }
    }

    @Test
    void fewBytesDoNotExhaustTheMemory() throws IOException {
        refuses("x: the shape [1, 2147483647] has more than the 4 elements", 17);
        refuses("inputs: there are said to be 1 of at least 20 bytes each, but 17", 0);
    }

    private void refuses(String message, int zeros) throws IOException {
        ByteBuffer content = ByteBuffer.allocate(21 + zeros);
        content.putInt(1).putInt(1).put((byte) 'x').putInt(Integer.MAX_VALUE).putInt(1).putInt(1);
        String refused =
                assertThrows(IOException.class, () -> GoldenRun.read(hostile(content.array())))
                        .getMessage();
        assertTrue(refused.contains(message), refused);
    }

    private Path hostile(byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write("DQGO".getBytes(UTF_8));
        out.writeInt(2);
        out.writeInt(Checksum.crc32c(content));
        out.write(content);
        return Files.write(folder.resolve("hostile.golden"), bytes.toByteArray());
    }

    @Test
    void saysWhatToDoWithTheFormerFormat() throws IOException {
        Path old = folder.resolve("old.golden");
        Files.write(old, "DQGR\0\0\0\1 and more".getBytes(UTF_8));
        assertEquals(
                old
                        + " is a golden run without a checksum, of an earlier version: make it"
                        + " again with the engine",
                assertThrows(IOException.class, () -> GoldenRun.read(old)).getMessage());
    }

    @Test
    void aRunThatCannotBeWrittenLeavesTheFormerOne() throws IOException {
        Path file = write();
        byte[] before = Files.readAllBytes(file);
        Path inAFile = file.resolve("model.golden");
        assertThrows(IOException.class, () -> run().write(inAFile));
        assertArrayEquals(before, Files.readAllBytes(file));
    }
}
