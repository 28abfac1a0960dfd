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

    private int capacity = FIRST_CAPACITY;
    private Memory pointers = pointers(capacity);

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
