// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

/**
 * The values of one network input in the calibration data.
 *
 * @param least the least of them
 * @param most the largest of them
 */
record InputRange(double least, double most) {

    /** That of no values. */
    static final InputRange EMPTY =
            new InputRange(Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);

    /** {@return the range of both} */
    InputRange with(InputRange other) {
        return new InputRange(Math.min(least, other.least), Math.max(most, other.most));
    }

    boolean nonNegative() {
        return least >= 0;
    }

    boolean isZero() {
        return least == 0 && most == 0;
    }

    boolean isConstant() {
        return least == most;
    }
}
