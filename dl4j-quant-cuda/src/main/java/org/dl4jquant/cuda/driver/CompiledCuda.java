// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

/** What a compiler made of a source. */
public final class CompiledCuda {

    private final byte[] cubin;
    private final String log;

    CompiledCuda(byte[] cubin, String log) {
        this.cubin = cubin;
        this.log = log;
    }

    /** {@return the machine code, an ELF file; a copy} */
    public byte[] cubin() {
        return cubin.clone();
    }

    /** {@return warnings and remarks, empty if there were none} */
    public String log() {
        return log;
    }
}
