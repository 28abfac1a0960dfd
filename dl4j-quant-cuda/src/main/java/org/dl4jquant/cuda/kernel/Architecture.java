// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Locale;

/** The GPU architectures that kernels are compiled for. */
public enum Architecture {
    /** Turing. */
    SM_75(64),
    /** Ampere, data center. */
    SM_80(163),
    /** Ampere. */
    SM_86(99),
    /** Ada. */
    SM_89(99),
    /** Hopper. */
    SM_90(227),
    /** Hopper, with what later architectures do not have. */
    SM_90A(227);

    private static final int KIB = 1024;

    private final int sharedKibibytes;

    Architecture(int sharedKibibytes) {
        this.sharedKibibytes = sharedKibibytes;
    }

    /** {@return the name that compilers know it by, such as {@code sm_80}} */
    public String target() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** {@return the most shared memory that a block may have} */
    public int sharedBytes() {
        return sharedKibibytes * KIB;
    }

    /** {@return whether global memory is copied to shared memory without waiting, cp.async} */
    public boolean copiesAsync() {
        return this != SM_75;
    }

    /**
     * {@return whether one instruction rounds two values and saturates them to bytes; elsewhere,
     * and for what it cannot do, adding a large float rounds as well, see {@code rounding.cuh}}
     */
    public boolean packsRounded() {
        return this != SM_75 && this != SM_80;
    }

    /** {@return whether one instruction compares two numbers of 16 bits with two others} */
    boolean comparesPairs() {
        return this == SM_90 || this == SM_90A;
    }
}
