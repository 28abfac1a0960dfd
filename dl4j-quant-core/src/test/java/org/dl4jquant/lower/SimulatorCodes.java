// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.Map;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Counts the codes in which a network's own activations differ from an engine's. */
final class SimulatorCodes {

    private long compared;
    private long differing;
    private final StringBuilder where = new StringBuilder();

    /** Compares each node that bears the name of an activation. */
    void compare(Map<String, INDArray> activations, Map<String, Batch> trace) {
        trace.forEach(
                (name, batch) -> {
                    INDArray activation = activations.get(name);
                    if (batch instanceof Batch.Codes codes && activation != null) {
                        compare(name, RowMajor.floats(activation), codes);
                    }
                });
    }

    private void compare(String name, float[] values, Batch.Codes codes) {
        if (values.length != codes.containers().length) {
            throw new IllegalStateException(
                    "'" + name + "': " + values.length + " values, " + codes.containers().length);
        }
        for (int i = 0; i < values.length; i++) {
            compared++;
            int expected = codes.params().quantize(values[i]);
            if (expected != codes.code(i)) {
                differing++;
                if (where.length() < 2000) {
                    where.append(
                            String.format(
                                    "%s[%d]: simulator %d, engine %d%n",
                                    name, i, expected, codes.code(i)));
                }
            }
        }
    }

    long compared() {
        return compared;
    }

    long differing() {
        return differing;
    }

    @Override
    public String toString() {
        return differing + " of " + compared + " codes differ\n" + where;
    }
}
