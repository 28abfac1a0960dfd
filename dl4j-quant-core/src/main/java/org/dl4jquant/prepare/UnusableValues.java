// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

/** A layer of the float network computes what no scale can be fitted to. */
final class UnusableValues extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    UnusableValues(IllegalArgumentException cause) {
        super(cause.getMessage(), cause);
    }
}
