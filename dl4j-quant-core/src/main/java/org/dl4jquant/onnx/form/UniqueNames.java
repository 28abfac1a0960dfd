// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * Names that are in use; for each it is remembered which copy comes next, so that none is tried
 * twice.
 */
final class UniqueNames {

    private static final int FIRST_COPY = 2;

    private final Map<String, Integer> nextCopies = new HashMap<>();

    UniqueNames(Collection<String> reserved) {
        reserved.forEach(name -> nextCopies.put(name, FIRST_COPY));
    }

    /**
     * {@return a name that was free, and is in use now}
     *
     * @param preferred the name if it is free; else a number is added
     */
    String take(String preferred) {
        String name = preferred;
        Integer copy = nextCopies.get(preferred);
        if (copy != null) {
            int number = copy;
            do {
                name = preferred + "_" + number++;
            } while (nextCopies.containsKey(name));
            nextCopies.put(preferred, number);
        }
        nextCopies.put(name, FIRST_COPY);
        return name;
    }
}
