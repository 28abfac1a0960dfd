// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/**
 * Codes on a device: one example is [height][width][pitch] bytes, of which each pixel's first
 * {@code channels} mean something.
 *
 * @param channels channels of the image
 * @param height rows
 * @param width columns
 * @param pitch bytes from one pixel to the next: a multiple of 16, or 4 for up to four channels
 */
public record ImageLayout(int channels, int height, int width, int pitch) {

    /** What pitches are multiples of. */
    public static final int CHUNK = 16;

    /** The pitch of an image of up to four channels that only a first layer reads. */
    public static final int SMALL_PITCH = 4;

    /** Checks the numbers. */
    public ImageLayout {
        Require.argument(
                channels > 0 && height > 0 && width > 0,
                "an image of %d channels, %d rows and %d columns",
                channels,
                height,
                width);
        Require.argument(
                pitch >= channels && (pitch % CHUNK == 0 || pitch == SMALL_PITCH),
                "a pitch of %d bytes for %d channels; a multiple of 16, or 4, is allowed",
                pitch,
                channels);
    }

    /**
     * {@return the layout of a tensor that lies alone}
     *
     * @param shape [channels, height, width], or [n], which is one pixel of n channels
     */
    public static ImageLayout of(Shape shape) {
        Require.argument(
                shape.rank() == 1 || shape.rank() == 3,
                "shape %s is neither [channels, height, width] nor [n]",
                shape);
        boolean image = shape.rank() == 3;
        return new ImageLayout(
                shape.size(0),
                image ? shape.size(1) : 1,
                image ? shape.size(2) : 1,
                padded(shape.size(0)));
    }

    /**
     * {@return the same image with another distance of pixels}
     *
     * @param newPitch bytes from one pixel to the next
     */
    public ImageLayout withPitch(int newPitch) {
        return new ImageLayout(channels, height, width, newPitch);
    }

    /** {@return bytes of one example} */
    public long bytes() {
        return (long) height * width * pitch;
    }

    /**
     * {@return a number of channels rounded up to a multiple of 16}
     *
     * @param channels the number
     */
    public static int padded(int channels) {
        return (channels + CHUNK - 1) / CHUNK * CHUNK;
    }
}
