// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.check.Require;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The states that DL4J's recurrent layers remember, in the order of an integer form's inputs. */
public final class RememberedStates {

    private static final List<String> KEYS =
            List.of(RecurrentPass.HIDDEN_STATE, RecurrentPass.MEMORY_CELLS);

    private RememberedStates() {}

    /**
     * {@return the states in order; none if nothing is remembered}
     *
     * @param states by DL4J's names
     */
    public static List<INDArray> inOrder(Map<String, INDArray> states) {
        Require.given(states, "states");
        List<INDArray> ordered = new ArrayList<>();
        for (String key : KEYS) {
            INDArray state = states.get(key);
            if (state != null) {
                ordered.add(state);
            }
        }
        return ordered;
    }

    /**
     * {@return the states by DL4J's names}
     *
     * @param states in order
     */
    public static Map<String, INDArray> byName(List<INDArray> states) {
        Require.given(states, "states");
        Map<String, INDArray> named = new HashMap<>();
        for (int i = 0; i < states.size(); i++) {
            named.put(KEYS.get(i), states.get(i));
        }
        return named;
    }
}
