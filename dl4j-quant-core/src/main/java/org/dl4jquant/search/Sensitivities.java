// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * How much each layer suffers from each width, by one measure; higher is worse. Scores of one
 * measure can be added over layers, and compared; those of two measures cannot.
 *
 * @param measure its name, with its unit
 * @param widths bits, each 2 to 8, ascending
 * @param scores for each layer, in the order of the forward pass, one finite score for each width
 */
public record Sensitivities(
        String measure, List<Integer> widths, Map<String, List<Double>> scores) {

    /** Copies, and checks that every layer has a finite score for each width. */
    public Sensitivities {
        Objects.requireNonNull(measure, "measure");
        widths = List.copyOf(widths);
        Map<String, List<Double>> copy = new LinkedHashMap<>();
        for (Map.Entry<String, List<Double>> row : scores.entrySet()) {
            List<Double> values = List.copyOf(row.getValue());
            Require.argument(
                    values.size() == widths.size(),
                    "layer '%s' has %d scores for %d widths",
                    row.getKey(),
                    values.size(),
                    widths.size());
            Require.argument(
                    values.stream().allMatch(Double::isFinite),
                    "layer '%s' has the scores %s by %s; they must be finite: is the network"
                            + " trained, and are its data finite?",
                    row.getKey(),
                    values,
                    measure);
            copy.put(row.getKey(), values);
        }
        scores = Collections.unmodifiableMap(copy);
    }

    /** {@return the layers, in the order of the forward pass} */
    public List<String> layers() {
        return List.copyOf(scores.keySet());
    }

    /**
     * {@return how much a layer suffers from a width}
     *
     * @param layer its name
     * @param bits one of the widths
     * @throws IllegalArgumentException if there is no such layer or width
     */
    public double score(String layer, int bits) {
        List<Double> row = scores.get(layer);
        int column = widths.indexOf(bits);
        Require.argument(
                row != null && column >= 0,
                "there is no sensitivity of layer '%s' to %d bits; there are layers %s and widths"
                        + " %s",
                layer,
                bits,
                layers(),
                widths);
        return Objects.requireNonNull(row).get(column);
    }

    /** {@return a table, one line for each layer} */
    @Override
    public String toString() {
        StringBuilder table = new StringBuilder(String.format(Locale.ROOT, "%-20s", measure));
        widths.forEach(bits -> table.append(String.format(Locale.ROOT, " %9d bits", bits)));
        scores.forEach(
                (layer, row) -> {
                    table.append(System.lineSeparator());
                    table.append(String.format(Locale.ROOT, "%-20s", layer));
                    row.forEach(s -> table.append(String.format(Locale.ROOT, " %14.4g", s)));
                });
        return table.toString();
    }
}
