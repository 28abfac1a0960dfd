// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;

/*
 * In an ONNX file all activations are uint8; a signed code is kept 128 higher, and so is its zero
 * point, which changes no value. ONNX Runtime has integer kernels on x86-64 for uint8 activations
 * only: it raises int8 ones itself where it can, computes in float32 where it cannot, and adds only
 * tensors of one type.
 */
/** How codes lie in an ONNX file. */
public final class Containers {

    static final CodeRange UINT8 = CodeRange.unsigned(8);
    static final CodeRange INT8 = CodeRange.signed(8);

    private static final int SIGNED_OFFSET = 128;

    private Containers() {}

    /**
     * {@return how much higher a code stands in the file}
     *
     * @param range the codes of the tensor
     */
    static int offset(CodeRange range) {
        return range.signed() && !range.isWide() ? SIGNED_OFFSET : 0;
    }

    /**
     * {@return the code in the file}
     *
     * @param code a code of the tensor
     * @param range the codes of the tensor
     */
    static byte toFile(int code, CodeRange range) {
        return (byte) (code + offset(range));
    }

    /**
     * Moves the containers of a tensor from the file's to the graph's form or back, in place.
     *
     * @param containers one byte per code
     * @param range the codes of the tensor
     */
    public static void flipInPlace(byte[] containers, CodeRange range) {
        Require.given(containers, "containers");
        if (Require.given(range, "range").signed()) {
            for (int i = 0; i < containers.length; i++) {
                containers[i] ^= (byte) SIGNED_OFFSET;
            }
        }
    }

    /**
     * {@return a table in the file's form or back: both its indices and its entries are moved}
     *
     * @param entries 256 entries
     * @param input how the index codes stand for values
     * @param output how the entries stand for values
     */
    static byte[] flipped(byte[] entries, QuantParams input, QuantParams output) {
        byte[] flipped = new byte[CodeTable.SIZE];
        int offset = offset(input.range());
        for (int i = 0; i < flipped.length; i++) {
            flipped[i] = entries[i ^ offset];
        }
        flipInPlace(flipped, output.range());
        return flipped;
    }
}
