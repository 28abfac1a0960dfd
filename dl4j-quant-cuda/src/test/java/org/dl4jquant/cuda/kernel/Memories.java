// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import com.sun.jna.Memory;
import java.util.Random;

/** Puts what a kernel reads where it can read it. */
final class Memories {

    private Memories() {}

    /**
     * {@return images channels last, with random bytes between the channels of one pixel and those
     * of the next, which must not matter}
     *
     * @param codes channels first
     * @param layout where they are to lie
     * @param examples how many images
     */
    static Memory image(byte[] codes, ImageLayout layout, int examples) {
        int pixels = layout.height() * layout.width();
        byte[] bytes = new byte[Math.toIntExact(examples * layout.bytes())];
        new Random(11).nextBytes(bytes);
        int from = 0;
        for (int example = 0; example < examples; example++) {
            for (int channel = 0; channel < layout.channels(); channel++) {
                for (int pixel = 0; pixel < pixels; pixel++) {
                    bytes[(example * pixels + pixel) * layout.pitch() + channel] = codes[from++];
                }
            }
        }
        return of(bytes);
    }

    static Memory of(byte[] bytes) {
        Memory memory = new Memory(bytes.length);
        memory.write(0, bytes, 0, bytes.length);
        return memory;
    }

    static Memory of(int[] values) {
        Memory memory = new Memory((long) values.length * Integer.BYTES);
        memory.write(0, values, 0, values.length);
        return memory;
    }

    static Memory of(float[] values) {
        Memory memory = new Memory((long) values.length * Float.BYTES);
        memory.write(0, values, 0, values.length);
        return memory;
    }
}
