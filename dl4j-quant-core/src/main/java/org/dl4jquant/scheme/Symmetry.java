// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

/** Where the value 0 lies among the codes. */
public enum Symmetry {
    /** At code 0. */
    SYMMETRIC,
    /** At any code, so that the codes cover exactly the values from smallest to largest. */
    ASYMMETRIC
}
