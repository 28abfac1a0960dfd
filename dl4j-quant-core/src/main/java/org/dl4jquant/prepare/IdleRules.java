// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.network.Topology;
import org.dl4jquant.scheme.LayerPosition;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;

/**
 * Finds the rules of a spec that decide nothing: they select no layer, or only layers that are part
 * of another one or cannot be quantized.
 */
final class IdleRules {

    /** How many names a warning shows at most. */
    private static final int SHOWN = 8;

    /** How many near names it shows at most. */
    private static final int NEAR = 3;

    /** A name is near if fewer than one letter in three differs, or two letters of a short one. */
    private static final int LETTERS_PER_ERROR = 3;

    private static final int LEAST_ERRORS = 2;

    private final Topology<FusedStep> original;
    private final Topology<FusedStep> joined;
    private final List<FusedStep> quantizable;

    private IdleRules(Topology<FusedStep> original, Topology<FusedStep> joined, Set<String> parts) {
        this.original = original;
        this.joined = joined;
        this.quantizable =
                joined.steps().stream()
                        .filter(each -> each.flow().hasWeights())
                        .filter(each -> !parts.contains(each.name()))
                        .toList();
    }

    /**
     * {@return one sentence for each rule that decides nothing}
     *
     * @param original the network, layer by layer
     * @param joined the same with followers joined to those that lead them
     * @param spec the wish
     * @param parts the names and types by which rules know the steps without a place, by name
     */
    static List<String> warnings(
            Topology<FusedStep> original,
            Topology<FusedStep> joined,
            QuantSpec spec,
            Map<String, LayerPosition> parts) {
        IdleRules rules = new IdleRules(original, joined, parts.keySet());
        List<String> warnings = new ArrayList<>();
        for (QuantSpec.Rule rule : spec.rules()) {
            if (!rules.decides(rule.layers())
                    && parts.values().stream().noneMatch(rule.layers()::selects)) {
                rules.warn(rule, warnings);
            }
        }
        return warnings;
    }

    private boolean decides(LayerSelector selector) {
        for (int i = 0; i < quantizable.size(); i++) {
            FusedStep step = quantizable.get(i);
            if (selector.selects(
                    new LayerPosition(step.name(), step.type(), i, quantizable.size()))) {
                return true;
            }
        }
        return joined.steps().stream()
                .filter(each -> each.flow().makesValues())
                .anyMatch(step -> selector.selects(Planner.withoutPlace(step)));
    }

    private void warn(QuantSpec.Rule rule, List<String> warnings) {
        List<FusedStep> selected =
                original.steps().stream()
                        .filter(step -> rule.layers().selects(Planner.withoutPlace(step)))
                        .toList();
        String decides = "the rule for " + text(rule.layers()) + " decides nothing: ";
        if (selected.isEmpty()) {
            warnings.add(decides + "it selects no layer; " + hint(rule.layers()));
            return;
        }
        List<String> reasons = new ArrayList<>();
        for (FusedStep step : selected) {
            FusedStep home = home(step);
            if (!home.name().equals(step.name())) {
                reasons.add(
                        "'%s' is joined with '%s', whose rule holds for both, name that"
                                .formatted(step.name(), home.name()));
            } else if (!rule.scheme().isFloat()) {
                reasons.add("'%s' %s".formatted(step.name(), why(step)));
            }
        }
        if (!reasons.isEmpty()) {
            String more = reasons.size() > SHOWN ? "; and so on" : "";
            warnings.add(
                    decides
                            + String.join("; ", reasons.subList(0, Math.min(SHOWN, reasons.size())))
                            + more);
        }
    }

    private FusedStep home(FusedStep member) {
        return joined.steps().stream()
                .filter(step -> step.members().contains(member.name()))
                .findFirst()
                .orElseThrow();
    }

    private static String why(FusedStep step) {
        if ((step.flow() == CodeFlow.LOSS)) {
            return "is the loss, which takes values in float";
        }
        return step.flow().keepsCodes()
                ? "passes codes on as they are"
                : "is of type " + step.type() + ", which is not supported";
    }

    private static String text(LayerSelector selector) {
        if (selector instanceof LayerSelector.Named by) {
            return "named(\"" + by.name() + "\")";
        }
        if (selector instanceof LayerSelector.OfType by) {
            return "ofType(\"" + by.type() + "\")";
        }
        if (selector instanceof LayerSelector.Matching by) {
            return "matching(\"" + by.regex() + "\")";
        }
        return "at(" + ((LayerSelector.At) selector).index() + ")";
    }

    private String hint(LayerSelector selector) {
        if (selector instanceof LayerSelector.Named by) {
            return near(by.name(), names());
        }
        if (selector instanceof LayerSelector.OfType by) {
            return near(by.type(), distinct(FusedStep::type));
        }
        if (selector instanceof LayerSelector.Matching by) {
            Pattern pattern = Pattern.compile(by.regex());
            List<String> parts =
                    names().stream().filter(name -> pattern.matcher(name).find()).toList();
            return parts.isEmpty()
                    ? "there are " + shown(names())
                    : "the whole name must match, and the pattern is only a part of "
                            + shown(parts)
                            + "; put .* before or after it";
        }
        int count = quantizable.size();
        return count == 0
                ? "the network has no layer that can be quantized"
                : ("there are %d layers that can be quantized, at(0) to at(%d) or, from the end,"
                                + " at(-1) to at(-%d)")
                        .formatted(count, count - 1, count);
    }

    private List<String> names() {
        return distinct(FusedStep::name);
    }

    private List<String> distinct(Function<FusedStep, String> property) {
        return original.steps().stream().map(property).distinct().toList();
    }

    private static String near(String wanted, List<String> all) {
        int errors = Math.max(LEAST_ERRORS, wanted.length() / LETTERS_PER_ERROR);
        List<String> near =
                all.stream()
                        .filter(name -> contains(name, wanted) || distance(name, wanted) <= errors)
                        .sorted(Comparator.comparing(name -> distance(name, wanted)))
                        .limit(NEAR)
                        .toList();
        return near.isEmpty() ? "there are " + shown(all) : "near it are " + shown(near);
    }

    private static boolean contains(String name, String wanted) {
        return !wanted.isEmpty() && lower(name).contains(lower(wanted));
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    private static String shown(List<String> names) {
        return names.size() <= SHOWN
                ? names.toString()
                : names.subList(0, SHOWN) + " and " + (names.size() - SHOWN) + " more";
    }

    /**
     * {@return how many letters must be changed, put in or left out to make one name of another,
     * small and capital letters being the same}
     */
    static int distance(String one, String other) {
        String left = lower(one);
        String right = lower(other);
        int[] row = new int[right.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= left.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int changed = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[right.length()];
    }
}
