// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.dl4jquant.check.Require;

/** Addresses of host memory, and host memory at an address. */
public final class HostMemory {

    private HostMemory() {}

    /**
     * {@return the address of a buffer's position}
     *
     * @param buffer a direct buffer; the address is valid for as long as it is reachable
     * @throws IllegalArgumentException if it is not direct
     */
    public static long address(ByteBuffer buffer) {
        Require.argument(
                buffer.isDirect(),
                "a buffer of %d bytes on Java's heap has no address; use ByteBuffer.allocateDirect,"
                        + " or memory of CudaDriver.allocateHost",
                buffer.capacity());
        return Pointer.nativeValue(Native.getDirectBufferPointer(buffer)) + buffer.position();
    }

    /**
     * {@return a little-endian view of memory; it is valid until the memory is given back}
     *
     * @param address its first byte
     * @param bytes its size, at least 0
     */
    public static ByteBuffer view(long address, int bytes) {
        Require.argument(address != 0, "there is no memory at address 0");
        Require.argument(bytes >= 0, "a view of %d bytes", bytes);
        return new Pointer(address).getByteBuffer(0, bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
