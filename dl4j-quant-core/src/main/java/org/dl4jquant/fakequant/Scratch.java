// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import org.dl4jquant.nd.FloatCursor;
import org.dl4jquant.nd.Walk;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The arrays that a pass over host memory works in, one set for each thread, so that no call
 * allocates them. Their contents mean nothing between calls.
 */
final class Scratch {

    /** Elements of a chunk: all arrays together, 64 KiB, stay in the second-level cache. */
    static final int CHUNK = 4096;

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    /** The chunk's values. */
    final float[] values = new float[CHUNK];

    /** The chunk's upstream gradients. */
    final float[] upstream = new float[CHUNK];

    /** 1 for each value of the chunk whose gradient passes, else 0. */
    final float[] masks = new float[CHUNK];

    /** One scale or multiplier for each element of the chunk. */
    final float[] spread = new float[CHUNK];

    private float[] perChannel = new float[256];

    private Scratch() {}

    /** {@return the arrays of the calling thread} */
    static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /**
     * {@return a copy of the elements, in an array that may be longer and lives until the next
     * call}
     *
     * @param array float32 in host memory, one number for each channel
     */
    float[] perChannel(INDArray array) {
        int length = Math.toIntExact(array.length());
        if (length > perChannel.length) {
            perChannel = new float[length];
        }
        FloatCursor.of(array, Walk.rowMajor(array.shape())).read(0, perChannel, length);
        return perChannel;
    }
}
