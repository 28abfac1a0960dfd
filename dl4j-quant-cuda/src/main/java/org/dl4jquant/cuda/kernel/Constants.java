// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.SortedMap;
import java.util.TreeMap;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeSum;
import org.dl4jquant.numeric.QuantParams;

/** Collects what the macros {@code QK_...} of a source are defined as. */
final class Constants {

    private static final int INT8_OFFSET = 128;
    private static final int HIGHEST_BYTE = 255;

    private final SortedMap<String, String> values = new TreeMap<>();

    Constants put(String name, boolean value) {
        return put(name, value ? 1 : 0);
    }

    Constants put(String name, long value) {
        return text(name, Long.toString(value));
    }

    /* Hexadecimal, so that the compiler reads the same bits. */
    Constants put(String name, float value) {
        return text(name, Float.toHexString(value) + "f");
    }

    Constants put(String name, Window.Extent extent) {
        return put(name + "_HEIGHT", extent.height()).put(name + "_WIDTH", extent.width());
    }

    /* The constants of sum.cuh. */
    Constants sum(QuantParams left, QuantParams right, Output.Codes result, boolean packs) {
        CodeRange bounds = result.bounds();
        CodeSum sum = CodeSum.of(left, right, result.params(), bounds);
        boolean signed = result.params().range().signed();
        int offset = signed ? INT8_OFFSET : 0;
        return put("LEFT_UNSIGNED", !left.range().signed())
                .put("RIGHT_UNSIGNED", !right.range().signed())
                .put("SUM_UNSIGNED", !signed)
                .put("SUM_PACKS", packs)
                .put("SUM_CLIPS_LOW", !packs || bounds.min() + offset > 0)
                .put("SUM_CLIPS_HIGH", !packs || bounds.max() + offset < HIGHEST_BYTE)
                .put("SUM_LEFT", sum.leftRatio())
                .put("SUM_RIGHT", sum.rightRatio())
                .put("SUM_FIXED", sum.fixedPart())
                .put("SUM_LOWEST", (float) (bounds.min() + offset))
                .put("SUM_HIGHEST", (float) (bounds.max() + offset));
    }

    private Constants text(String name, String value) {
        values.put("QK_" + name, value.startsWith("-") ? "(" + value + ")" : value);
        return this;
    }

    SortedMap<String, String> toMap() {
        return values;
    }
}
