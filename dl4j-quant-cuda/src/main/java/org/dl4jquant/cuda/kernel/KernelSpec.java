// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.Checksum;

/**
 * One kernel: a CUDA source, its constants and its launch.
 *
 * <p>Every kernel takes 64-bit arguments only: device pointers in the order that its source
 * documents, then the number of examples. All other numbers are constants. Two specs with the same
 * file and constants are one kernel.
 *
 * @param file the source in {@code src/main/cuda}, such as {@code igemm.cu}
 * @param constants what the source's macros are defined as
 * @param launch how it is launched
 * @param minBlocks how many blocks a multiprocessor must have registers for
 */
public record KernelSpec(
        String file, SortedMap<String, String> constants, Launch launch, int minBlocks) {

    private static final int KEY_DIGITS = 16;

    /** Copies the constants. */
    public KernelSpec {
        constants = Collections.unmodifiableSortedMap(new TreeMap<>(constants));
        Require.argument(file.matches("[a-z0-9_]+\\.cu"), "'%s' is no kernel's source file", file);
        Require.argument(minBlocks >= 1, "a kernel of %d blocks a multiprocessor", minBlocks);
    }

    /** {@return the name of its function: {@code q_} and 16 digits of a hash of what defines it} */
    public String entry() {
        StringBuilder text = new StringBuilder(file);
        for (Map.Entry<String, String> constant : constants.entrySet()) {
            text.append('\n').append(constant.getKey()).append('=').append(constant.getValue());
        }
        text.append('\n').append(launch.threads()).append(' ').append(minBlocks);
        byte[] digest = Checksum.sha256(text.toString().getBytes(StandardCharsets.UTF_8));
        return "q_" + HexFormat.of().formatHex(digest).substring(0, KEY_DIGITS);
    }

    /**
     * {@return the macros that its source is compiled with: the constants, {@code QK_ENTRY}, {@code
     * QK_THREADS} and {@code QK_MIN_BLOCKS}}
     */
    public SortedMap<String, String> macros() {
        SortedMap<String, String> macros = new TreeMap<>(constants);
        macros.put("QK_ENTRY", entry());
        macros.put("QK_THREADS", Integer.toString(launch.threads()));
        macros.put("QK_MIN_BLOCKS", Integer.toString(minBlocks));
        return macros;
    }

    /**
     * {@return how a product is cut, such as {@code 128x64x64} or, where blocks share a tile's sum,
     * {@code 128x64x64 / 4}; empty for other kernels}
     */
    public String tile() {
        String rows = constants.get("QK_BLOCK_M");
        if (rows == null) {
            return "";
        }
        String tile = rows + "x" + constants.get("QK_BLOCK_N") + "x" + constants.get("QK_BLOCK_K");
        String splits = constants.get("QK_SPLITS");
        return "1".equals(splits) ? tile : tile + " / " + splits;
    }
}
