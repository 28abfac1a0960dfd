// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/** Collects what kernels read and nobody writes; equal bytes are kept once. */
final class ConstantPool {

    private static final int ALIGNMENT = 256;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Map<ByteBuffer, Long> offsets = new HashMap<>();

    /** {@return the argument that points to these bytes} */
    Argument.Constant add(byte[] constant) {
        ByteBuffer key = ByteBuffer.wrap(constant.clone());
        Long offset = offsets.get(key);
        if (offset == null) {
            offset = (long) bytes.size();
            bytes.writeBytes(constant);
            bytes.writeBytes(new byte[(ALIGNMENT - bytes.size() % ALIGNMENT) % ALIGNMENT]);
            offsets.put(key, offset);
        }
        return new Argument.Constant(offset);
    }

    /** {@return the argument that points to these values, little-endian} */
    Argument.Constant add(float[] constant) {
        byte[] values = new byte[constant.length * Float.BYTES];
        littleEndian(values).asFloatBuffer().put(constant);
        return add(values);
    }

    /** {@return the argument that points to these values, little-endian} */
    Argument.Constant add(int[] constant) {
        byte[] values = new byte[constant.length * Integer.BYTES];
        littleEndian(values).asIntBuffer().put(constant);
        return add(values);
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    ByteBuffer toBuffer() {
        return ByteBuffer.wrap(bytes.toByteArray());
    }
}
