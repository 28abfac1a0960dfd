// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

/** Numbers that describe a GPU, by the driver's name for each. */
public enum DeviceAttribute {
    /** Thousands of cycles a second. */
    CLOCK_KILOHERTZ(13),
    /** Streaming multiprocessors. */
    MULTIPROCESSORS(16),
    /** Thousands of memory cycles a second. */
    MEMORY_CLOCK_KILOHERTZ(36),
    /** Bits that memory moves at once. */
    MEMORY_BUS_BITS(37),
    /** Bytes of the second-level cache. */
    L2_CACHE_BYTES(38),
    /** The major number of the architecture, such as 9 of sm_90. */
    ARCHITECTURE_MAJOR(75),
    /** The minor number of the architecture, such as 0 of sm_90. */
    ARCHITECTURE_MINOR(76),
    /** The most shared memory that a block may have, if its kernel asks for it. */
    SHARED_BYTES_OF_A_BLOCK(97);

    private final int code;

    DeviceAttribute(int code) {
        this.code = code;
    }

    /** {@return the driver's number for it, a {@code CUdevice_attribute}} */
    public int code() {
        return code;
    }
}
