// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.cuda.kernel.GemmWeights;

/** Collects what kernels read and nobody writes; equal bytes are kept once. */
final class ConstantPool {

    private static final int ALIGNMENT = 256;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Map<ByteBuffer, Long> offsets = new HashMap<>();
    private final List<Plan.Expansion> expansions = new ArrayList<>();

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

    /**
     * {@return the argument that points to codes which are stored packed}
     *
     * @param codes the codes, a byte each
     * @param packed the same, as {@link GemmWeights} packs them
     * @param rows how many rows there are
     */
    Argument.Constant add(byte[] codes, byte[] packed, int rows) {
        Argument.Constant from = add(packed);
        Argument.Constant to = add(codes);
        Plan.Expansion expansion =
                new Plan.Expansion(from.offset(), to.offset(), rows, codes.length / rows);
        if (!expansions.contains(expansion) && to.offset() > from.offset()) {
            expansions.add(expansion);
        }
        return to;
    }

    List<Plan.Expansion> expansions() {
        return expansions.stream().sorted(Comparator.comparingLong(Plan.Expansion::to)).toList();
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
