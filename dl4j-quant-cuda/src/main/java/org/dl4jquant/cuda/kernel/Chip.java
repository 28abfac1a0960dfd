// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** GPUs by NVIDIA's data sheets; operations on Tensor Cores, without sparsity. */
public enum Chip {
    /** Turing. */
    T4(Architecture.SM_75, 40, 1.59, 130, 320, 4),
    /** Ampere, 80 GB, SXM. */
    A100(Architecture.SM_80, 108, 1.41, 624, 2039, 40),
    /** Ampere. */
    A10(Architecture.SM_86, 72, 1.695, 250, 600, 6),
    /** Ada. */
    L4(Architecture.SM_89, 58, 2.04, 242, 300, 48),
    /** Hopper, SXM. */
    H100(Architecture.SM_90A, 132, 1.83, 1979, 3350, 50),
    /** Hopper with more and faster memory, SXM. */
    H200(Architecture.SM_90A, 132, 1.83, 1979, 4800, 50);

    private final Architecture architecture;
    private final int processors;
    private final double gigahertz;
    private final double int8TeraOperations;
    private final double gigabytesPerSecond;
    private final int cacheMebibytes;

    Chip(
            Architecture architecture,
            int processors,
            double gigahertz,
            double int8TeraOperations,
            double gigabytesPerSecond,
            int cacheMebibytes) {
        this.architecture = architecture;
        this.processors = processors;
        this.gigahertz = gigahertz;
        this.int8TeraOperations = int8TeraOperations;
        this.gigabytesPerSecond = gigabytesPerSecond;
        this.cacheMebibytes = cacheMebibytes;
    }

    /**
     * {@return the chip of a name, in letters of either case}
     *
     * @param name such as {@code h200}
     * @throws IllegalArgumentException if it is none of these
     */
    public static Chip named(String name) {
        List<Chip> all = List.of(values());
        return all.stream()
                .filter(chip -> chip.name().equals(name.toUpperCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "'"
                                                + name
                                                + "' is not one of "
                                                + Arrays.toString(values())));
    }

    /**
     * {@return a well-known chip that runs an architecture's kernels}
     *
     * @param architecture what the kernels are compiled for
     */
    public static Chip of(Architecture architecture) {
        return switch (architecture) {
            case SM_75 -> T4;
            case SM_80 -> A100;
            case SM_86 -> A10;
            case SM_89 -> L4;
            case SM_90, SM_90A -> H200;
        };
    }

    /**
     * {@return the chip of a GPU; empty if its data sheet is not known here}
     *
     * @param device the driver's name of it, such as {@code NVIDIA H200}
     */
    public static Optional<Chip> ofDevice(String device) {
        List<String> words = List.of(device.toUpperCase(Locale.ROOT).split("[^A-Z0-9]+"));
        // Cards of the same name for PCI Express are slower.
        boolean card = words.contains("PCIE") || words.contains("NVL");
        return Arrays.stream(values())
                .filter(chip -> !card && words.contains(chip.name()))
                .findFirst();
    }

    /** {@return the architecture that its kernels are compiled for} */
    public Architecture architecture() {
        return architecture;
    }

    /** {@return how many multiprocessors it has} */
    public int processors() {
        return processors;
    }

    /** {@return the highest clock, in GHz} */
    public double gigahertz() {
        return gigahertz;
    }

    /** {@return int8 operations in a picosecond, two for each product} */
    public double int8TeraOperations() {
        return int8TeraOperations;
    }

    /** {@return the bandwidth of its memory in GB/s} */
    public double gigabytesPerSecond() {
        return gigabytesPerSecond;
    }

    /** {@return the size of its second-level cache in MiB} */
    public int cacheMebibytes() {
        return cacheMebibytes;
    }
}
