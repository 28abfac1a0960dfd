// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

/** IEEE 754 binary16, simulated by rounding to half precision and back. */
public record Fp16Format() implements NumberFormat {

    @Override
    public int bitsPerNumber() {
        return 16;
    }
}
