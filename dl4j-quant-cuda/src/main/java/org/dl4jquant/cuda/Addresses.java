// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.plan.Port;

/** Checks the addresses in device memory that a caller names. */
final class Addresses {

    private Addresses() {}

    /**
     * {@return an address for each port, in their order}
     *
     * @param addresses by the port's name
     * @param ports the engine's inputs, or its outputs
     * @param examples how many lie there
     * @throws IllegalArgumentException if there is no example, if an address is missing or unknown,
     *     is 0, or is of float32 values and no multiple of 4
     */
    static long[] of(Map<String, Long> addresses, List<Port> ports, int examples) {
        Require.argument(examples >= 1, "a batch of %d examples", examples);
        List<String> names = ports.stream().map(Port::name).toList();
        Require.argument(
                addresses.keySet().equals(Set.copyOf(names)),
                "there are addresses of %s, but those of %s are needed",
                new TreeSet<>(addresses.keySet()),
                names);
        long[] places = new long[ports.size()];
        for (int i = 0; i < places.length; i++) {
            long multiple = ports.get(i).type().isCodes() ? 1 : Float.BYTES;
            places[i] = Objects.requireNonNull(addresses.get(names.get(i)));
            Require.argument(
                    places[i] != 0 && places[i] % multiple == 0,
                    "the address of '%s' is 0x%x; one that is not 0, and a multiple of %d, is needed",
                    names.get(i),
                    places[i],
                    multiple);
        }
        return places;
    }
}
