// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;

/**
 * A launch's arguments as the driver wants them: an array of pointers, each to one value. The
 * driver copies the values before the launch returns, so that one piece of memory serves all
 * launches of a thread.
 */
final class LaunchArguments {

    private static final int FIRST_CAPACITY = 16;

    /* Where the fields of CUlaunchConfig and CUlaunchAttribute lie in memory, in bytes. */
    private static final long STREAM = 32;
    private static final long ATTRIBUTES = 40;
    private static final long ATTRIBUTE_COUNT = 48;
    private static final long CONFIGURATION_BYTES = 56;
    private static final long ATTRIBUTE_VALUE = 8;
    private static final long ATTRIBUTE_BYTES = 72;

    private static final int PROGRAMMATIC_STREAM_SERIALIZATION = 6;

    private final Memory configuration = new Memory(CONFIGURATION_BYTES + ATTRIBUTE_BYTES);
    private int capacity = FIRST_CAPACITY;
    private Memory pointers = pointers(capacity);

    LaunchArguments() {
        configuration.clear();
    }

    /**
     * {@return the pointers to the values}
     *
     * @param values the arguments
     */
    Pointer set(long[] values) {
        if (values.length > capacity) {
            capacity = values.length;
            pointers = pointers(capacity);
        }
        pointers.write((long) capacity * Native.POINTER_SIZE, values, 0, values.length);
        return pointers;
    }

    /**
     * {@return a CUlaunchConfig with one attribute: programmatic stream serialization}
     *
     * @param gridX blocks along the grid's first dimension
     * @param gridY blocks along its second
     * @param threads threads of a block
     * @param sharedBytes dynamic shared memory of a block
     * @param stream the queue
     */
    Pointer overlapping(int gridX, int gridY, int threads, int sharedBytes, long stream) {
        int[] sizes = {gridX, gridY, 1, threads, 1, 1, sharedBytes};
        configuration.write(0, sizes, 0, sizes.length);
        configuration.setLong(STREAM, stream);
        configuration.setPointer(ATTRIBUTES, configuration.share(CONFIGURATION_BYTES));
        configuration.setInt(ATTRIBUTE_COUNT, 1);
        configuration.setInt(CONFIGURATION_BYTES, PROGRAMMATIC_STREAM_SERIALIZATION);
        configuration.setInt(CONFIGURATION_BYTES + ATTRIBUTE_VALUE, 1);
        return configuration;
    }

    /* The pointers lie before what they point to. */
    private static Memory pointers(int capacity) {
        long valuesFrom = (long) capacity * Native.POINTER_SIZE;
        Memory memory = new Memory(valuesFrom + (long) capacity * Long.BYTES);
        for (int i = 0; i < capacity; i++) {
            memory.setPointer(
                    (long) i * Native.POINTER_SIZE,
                    memory.share(valuesFrom + (long) i * Long.BYTES));
        }
        return memory;
    }
}
