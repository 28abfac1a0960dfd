// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Figures as a table to be read: by what was computed and in which batch, each with who did it. */
final class Figures {

    private static final String ROW = "%-18s %6s  %-38s %10s %21s %14s %-11s %s";

    private Figures() {}

    private record Task(String what, int batch) {}

    /**
     * {@return the lines of the table}
     *
     * <p>A peer's row ends in how many times as fast the best of ours is that was timed in the same
     * way; the way stands behind a comma.
     *
     * @param figures ours, and those of peers
     */
    static List<String> table(List<Figure> figures) {
        Map<Task, List<Figure>> tasks = new LinkedHashMap<>();
        for (Figure figure : figures) {
            tasks.computeIfAbsent(
                            new Task(figure.what(), figure.batch()), task -> new ArrayList<>())
                    .add(figure);
        }
        List<String> lines = new ArrayList<>();
        lines.add(
                String.format(
                                Locale.ROOT,
                                ROW,
                                "what",
                                "batch",
                                "who",
                                "ms",
                                "p10 to p90",
                                "rate",
                                "",
                                "ours is")
                        .stripTrailing());
        for (String what : names(tasks)) {
            tasks.forEach(
                    (task, all) -> {
                        if (task.what().equals(what)) {
                            add(lines, all);
                        }
                    });
        }
        return lines;
    }

    private static Set<String> names(Map<Task, List<Figure>> tasks) {
        Set<String> names = new LinkedHashSet<>();
        tasks.keySet().forEach(task -> names.add(task.what()));
        return names;
    }

    private static void add(List<String> lines, List<Figure> all) {
        for (int i = 0; i < all.size(); i++) {
            Figure figure = all.get(i);
            double best = best(all, way(figure));
            boolean compared = best > 0 && figure.rate() > 0 && !isOurs(figure);
            lines.add(
                    String.format(
                                    Locale.ROOT,
                                    ROW,
                                    i == 0 ? figure.what() : "",
                                    i == 0 ? "" + figure.batch() : "",
                                    figure.who(),
                                    number("%.3f", figure.millis()),
                                    number("%.3f", figure.low())
                                            + " to "
                                            + number("%.3f", figure.high()),
                                    number("%,.0f", figure.rate()),
                                    figure.unit(),
                                    compared
                                            ? number("%.2f", best / figure.rate())
                                                    + " times as fast"
                                            : "")
                            .stripTrailing());
        }
    }

    private static double best(List<Figure> all, String way) {
        return all.stream()
                .filter(figure -> isOurs(figure) && way(figure).equals(way))
                .mapToDouble(Figure::rate)
                .max()
                .orElse(0);
    }

    private static String way(Figure figure) {
        int comma = figure.who().lastIndexOf(',');
        return comma < 0 ? "" : figure.who().substring(comma);
    }

    private static boolean isOurs(Figure figure) {
        return figure.who().startsWith(EngineTrial.US);
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
