// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.List;
import org.dl4jquant.check.Require;

/**
 * How a batch of one size is run; the codes do not depend on it.
 *
 * @param ways which of each step's ways
 * @param pass how many examples go through all steps at once: what they need then stays in the
 *     second-level cache, and less memory is needed; the next follow them
 * @param overlaps whether a kernel is started while the one before it ends
 */
record Tactics(List<Integer> ways, int pass, boolean overlaps) {

    /** Copies the list. */
    Tactics {
        ways = List.copyOf(ways);
        Require.argument(pass >= 1, "passes of %d examples", pass);
    }
}
