// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import com.sun.jna.Memory;
import java.util.Arrays;
import java.util.Optional;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.node.Window;

/** Where a kernel writes images to, channels last, and the comparison with what it must write. */
final class KernelOutput {

    private static final byte UNWRITTEN = (byte) 0xCD;

    private final Memory memory;
    private final int pixels;
    private final int channels;
    private final int pitch;

    /**
     * Takes memory.
     *
     * @param examples how many images
     * @param image height and width
     * @param channels of each pixel
     * @param pitch bytes from one pixel's codes to the next's; values are never padded
     */
    KernelOutput(int examples, Window.Extent image, int channels, int pitch) {
        this.pixels = image.height() * image.width();
        this.channels = channels;
        this.pitch = pitch;
        this.memory =
                new Memory((long) examples * pixels * Math.max(pitch, Float.BYTES * channels));
        memory.setMemory(0, memory.size(), UNWRITTEN);
    }

    Memory memory() {
        return memory;
    }

    /**
     * {@return how what is there differs; empty if it does not}
     *
     * @param expected images, channels first
     */
    Optional<String> difference(Batch expected) {
        return expected instanceof Batch.Floats floats
                ? difference(floats.values())
                : difference(((Batch.Codes) expected).containers());
    }

    private Optional<String> difference(float[] values) {
        float[] found = memory.getFloatArray(0, values.length);
        int at = Arrays.mismatch(found, values);
        return at < 0
                ? Optional.empty()
                : Optional.of("value " + at + " is " + found[at] + ", not " + values[at]);
    }

    private Optional<String> difference(byte[] codes) {
        byte[] found = memory.getByteArray(0, (int) memory.size());
        int differing = 0;
        String first = "";
        for (int i = 0; i < found.length; i++) {
            byte wanted = wanted(i, codes, found[i]);
            if (found[i] != wanted && differing++ == 0) {
                first =
                        "pixel %d, channel %d is %d, not %d"
                                .formatted(i / pitch, i % pitch, found[i], wanted);
            }
        }
        return differing == 0
                ? Optional.empty()
                : Optional.of(differing + " codes differ, the first at " + first);
    }

    private byte wanted(int at, byte[] codes, byte found) {
        int pixel = at / pitch;
        int channel = at % pitch;
        if (pixel / pixels * pixels * channels >= codes.length) {
            return UNWRITTEN;
        }
        if (channel < channels) {
            return codes[(pixel / pixels * channels + channel) * pixels + pixel % pixels];
        }
        /* Between the channels and the next multiple of 16 anything goes. */
        return channel < ImageLayout.padded(channels) ? found : UNWRITTEN;
    }
}
