// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BoundedInputTest {

    @Test
    void readsWhatIsThere() {
        ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(-7).putLong(1L << 40).putInt(2).putFloat(0.5f).putFloat(-3);
        bytes.putInt(3).put((byte) 0xe2).put((byte) 0x82).put((byte) 0xac).put((byte) 9).flip();
        BoundedInput in = new BoundedInput(bytes, ByteOrder.LITTLE_ENDIAN);
        assertEquals(-7, in.int32("a"));
        assertEquals(1L << 40, in.int64("b"));
        assertArrayEquals(new float[] {0.5f, -3}, in.floats("c", in.count("c", Float.BYTES)));
        assertEquals("€", in.text("d"));
        assertEquals(1, in.left());
        assertThrows(IllegalArgumentException.class, in::end);
        assertArrayEquals(new byte[] {9}, in.bytes("e", 1));
        in.end();
    }

    @Test
    void namesAFolderThatStandsInItsPlace(@TempDir Path folder) {
        IOException refused =
                assertThrows(
                        IOException.class, () -> BoundedInput.of(folder, ByteOrder.BIG_ENDIAN));
        assertEquals(folder + " is a folder, not a file", refused.getMessage());
    }

    @Test
    void refusesWhatIsNotThereBeforeItAllocates() {
        refuses("the file ends inside a", in -> in.int64("a"), 0, 0, 0, 0);
        refuses("said to be 2147483647", in -> in.count("b", 4), 0x7f, -1, -1, -1, 0, 0, 0, 0);
        refuses("said to be -1", in -> in.count("b", 4), -1, -1, -1, -1, 0, 0, 0, 0);
        refuses("c: there are", in -> in.floats("c", 1L << 62), 0, 0, 0, 0);
        refuses("d: there are", in -> in.bytes("d", 5), 0, 0, 0, 0);
        refuses("e: there are", in -> in.text("e"), 0, 0, 0, 2, 65);
        refuses("e is no text in UTF-8", in -> in.text("e"), 0, 0, 0, 1, 0xff);
    }

    private static void refuses(String message, Consumer<BoundedInput> read, int... bytes) {
        byte[] all = new byte[bytes.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) bytes[i];
        }
        BoundedInput in = new BoundedInput(ByteBuffer.wrap(all), ByteOrder.BIG_ENDIAN);
        String found =
                assertThrows(IllegalArgumentException.class, () -> read.accept(in)).getMessage();
        assertTrue(found.contains(message), found);
    }
}
