// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.dl4jquant.scheme.LayerScheme;
import org.jspecify.annotations.Nullable;

/**
 * The outcome for each layer of a prepared network, in the order of the forward pass.
 *
 * @param layers one entry for each layer or vertex of the float network, and before them one for
 *     each network input that has a quantizer of its own because a sum, a concatenation or a max
 *     pool reads it
 * @param warnings one sentence each; none if all is well
 */
public record PrepareReport(List<Entry> layers, List<String> warnings) {

    /**
     * The outcome for one layer.
     *
     * @param name the layer's name
     * @param type the simple name of its configuration class
     * @param scheme its scheme; null if it stays in float
     * @param codes whether its result is codes, its own or those that it passes on
     * @param obstacle the reason why it will not become integers, and the remedy; null if it will
     * @param remark the layer that it was joined with, where its tensors are rounded, or why it
     *     stays in float
     */
    public record Entry(
            String name,
            String type,
            @Nullable LayerScheme scheme,
            boolean codes,
            @Nullable String obstacle,
            String remark) {
        /** Checks that the layer is named. */
        public Entry {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(type, "type");
            Objects.requireNonNull(remark, "remark");
        }

        /** {@return whether the layer becomes integers when the network is lowered} */
        public boolean becomesIntegers() {
            return obstacle == null;
        }

        /** {@return whether anything of the layer is rounded} */
        public boolean quantized() {
            return scheme != null;
        }

        private String numbers() {
            if (scheme != null) {
                return scheme.widths();
            }
            return codes ? "codes" : "float";
        }

        private String line() {
            return String.format(
                    Locale.ROOT,
                    "%-20s %-24s %-12s %-10s %s",
                    name,
                    type,
                    numbers(),
                    obstacle == null ? "yes" : "no",
                    remark);
        }
    }

    /** Copies the entries. */
    public PrepareReport {
        layers = List.copyOf(layers);
        warnings = List.copyOf(warnings);
    }

    /**
     * {@return the same report with more warnings}
     *
     * @param more one sentence each
     */
    PrepareReport withWarnings(List<String> more) {
        List<String> all = new ArrayList<>(warnings);
        all.addAll(more);
        return new PrepareReport(layers, all);
    }

    /**
     * {@return the outcome for a layer}
     *
     * @param name the layer's name in the float network
     * @throws IllegalArgumentException if the network had no such layer
     */
    public Entry layer(String name) {
        return layers.stream()
                .filter(entry -> entry.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "the report has no layer '"
                                                + name
                                                + "'; it has "
                                                + layers.stream().map(Entry::name).toList()));
    }

    /**
     * {@return a table, one line for each layer, then one for each obstacle to integers and each
     * warning}
     */
    @Override
    public String toString() {
        StringBuilder table =
                new StringBuilder(
                        String.format(
                                Locale.ROOT,
                                "%-20s %-24s %-12s %-10s %s",
                                "layer",
                                "type",
                                "scheme",
                                "integers",
                                ""));
        layers.forEach(entry -> table.append(System.lineSeparator()).append(entry.line()));
        layers.stream()
                .filter(entry -> !entry.becomesIntegers())
                .forEach(
                        entry ->
                                table.append(System.lineSeparator())
                                        .append("'" + entry.name() + "' does not become integers: ")
                                        .append(entry.obstacle()));
        warnings.forEach(
                warning ->
                        table.append(System.lineSeparator()).append("warning: ").append(warning));
        return table.toString();
    }
}
