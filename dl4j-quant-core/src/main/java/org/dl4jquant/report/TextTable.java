// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;

/**
 * A table for people, as text: the first column flush left, the others flush right.
 *
 * <pre>
 *             float   INT8
 * ------------------------
 * accuracy   0.9812 0.9805
 * </pre>
 */
public final class TextTable {

    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    private TextTable(List<String> head) {
        rows.add(head);
    }

    /**
     * {@return a table without rows}
     *
     * @param head the columns' titles, one at least; the first one may be empty
     */
    public static TextTable of(String... head) {
        Require.given(head, "head");
        Require.argument(head.length > 0, "a table needs one column at least");
        return new TextTable(List.of(head));
    }

    /**
     * Adds a row.
     *
     * @param cells one for each column
     * @return this table
     * @throws IllegalArgumentException if there are more or fewer cells than columns
     */
    @CanIgnoreReturnValue
    public TextTable row(String... cells) {
        int columns = rows.get(0).size();
        Require.argument(
                cells.length == columns,
                "row %s has %d cells, but the table has %d columns",
                List.of(cells),
                cells.length,
                columns);
        rows.add(List.of(cells));
        return this;
    }

    /** {@return the table in lines, the last one without a line break} */
    @Override
    public String toString() {
        List<Integer> widths =
                IntStream.range(0, rows.get(0).size()).mapToObj(this::width).toList();
        List<String> lines =
                rows.stream()
                        .map(row -> line(row, widths))
                        .collect(Collectors.toCollection(ArrayList::new));
        int gaps = GAP.length() * (widths.size() - 1);
        lines.add(
                1,
                String.join(
                        "",
                        Collections.nCopies(
                                widths.stream().mapToInt(Integer::intValue).sum() + gaps, "-")));
        return String.join(System.lineSeparator(), lines);
    }

    private int width(int column) {
        return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
    }

    private static String line(List<String> row, List<Integer> widths) {
        return IntStream.range(0, row.size())
                .mapToObj(column -> padded(row.get(column), widths.get(column), column == 0))
                .collect(Collectors.joining(GAP))
                .stripTrailing();
    }

    private static String padded(String cell, int width, boolean left) {
        String blanks = " ".repeat(width - cell.length());
        return left ? cell + blanks : blanks + cell;
    }
}
