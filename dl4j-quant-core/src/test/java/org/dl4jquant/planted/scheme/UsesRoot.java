// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.planted.scheme;

import org.dl4jquant.planted.BaseOfPlanted;

/** Uses a package further down the table, as the component type of an array. */
public final class UsesRoot {

    /** {@return the length of what this class may not use} */
    public static int count(BaseOfPlanted[] planted) {
        return planted.length;
    }

    private UsesRoot() {}
}
