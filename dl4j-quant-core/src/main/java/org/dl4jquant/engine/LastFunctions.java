// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.OutputFunction;

/** Applies a graph's last functions to its scores; every engine does so by this class. */
public final class LastFunctions {

    private LastFunctions() {}

    /**
     * {@return the results with each last function applied to its output}
     *
     * @param functions as {@link org.dl4jquant.graph.IntGraph#functions}
     * @param scores results by name, not changed
     */
    public static Map<String, Batch> apply(
            Map<String, List<OutputFunction>> functions, Map<String, Batch> scores) {
        Require.given(functions, "functions");
        Require.given(scores, "scores");
        Map<String, Batch> results = new LinkedHashMap<>(scores);
        functions.forEach(
                (output, last) ->
                        results.computeIfPresent(output, (name, batch) -> of(name, last, batch)));
        return results;
    }

    private static Batch of(String output, List<OutputFunction> functions, Batch scores) {
        Require.argument(
                scores instanceof Batch.Floats,
                "output '%s' is %s, but its last function %s takes float32 values",
                output,
                scores,
                functions);
        float[] values = ((Batch.Floats) scores).values().clone();
        for (OutputFunction function : functions) {
            function.applyInPlace(values, scores.size(), scores.shape());
        }
        return Batch.Floats.of(scores.size(), scores.shape(), values);
    }
}
