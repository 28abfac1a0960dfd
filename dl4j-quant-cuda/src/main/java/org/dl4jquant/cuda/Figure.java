// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Something that was timed, as a line of a table whose columns are separated by tabs; the file of
 * the peers has the same.
 *
 * @param who what computed
 * @param what what was computed, such as a network's name
 * @param batch how many examples at once
 * @param millis the median time of a batch
 * @param low a tenth of the times are below
 * @param high a tenth of the times are above
 * @param rate how much of the unit is done in a second
 * @param unit {@code examples/s}, {@code GB/s} or {@code TOPS}
 */
record Figure(
        String who,
        String what,
        int batch,
        double millis,
        double low,
        double high,
        double rate,
        String unit) {

    /** The table's first line. */
    static final String HEAD = "who\twhat\tbatch\tms\tp10\tp90\trate\tunit";

    private static final double MICROS = 1e3;
    private static final int COLUMNS = 8;

    /**
     * {@return what a batch's times mean for its rate}
     *
     * @param spread of the times
     * @param amount the rate if a batch took a microsecond
     */
    static Figure of(
            String who, String what, int batch, Spread spread, double amount, String unit) {
        return new Figure(
                who,
                what,
                batch,
                spread.median() / MICROS,
                spread.low() / MICROS,
                spread.high() / MICROS,
                amount / spread.median(),
                unit);
    }

    /** {@return the line} */
    String line() {
        return String.format(
                Locale.ROOT,
                "%s\t%s\t%d\t%.4f\t%.4f\t%.4f\t%.2f\t%s",
                who,
                what,
                batch,
                millis,
                low,
                high,
                rate,
                unit);
    }

    /**
     * {@return the lines of a file, the first left out}
     *
     * @param file the file; if there is none, there are no lines
     * @throws IOException if the file cannot be read, or a line is not one of this table
     */
    static List<Figure> read(Path file) throws IOException {
        List<Figure> all = new ArrayList<>();
        if (Files.exists(file)) {
            List<String> lines = Files.readAllLines(file);
            for (String line : lines.subList(Math.min(1, lines.size()), lines.size())) {
                all.add(parse(line, file));
            }
        }
        return all;
    }

    private static Figure parse(String line, Path file) throws IOException {
        String[] columns = line.split("\t", -1);
        try {
            if (columns.length == COLUMNS) {
                return new Figure(
                        columns[0],
                        columns[1],
                        Integer.parseInt(columns[2]),
                        Double.parseDouble(columns[3]),
                        Double.parseDouble(columns[4]),
                        Double.parseDouble(columns[5]),
                        Double.parseDouble(columns[6]),
                        columns[7]);
            }
        } catch (NumberFormatException e) {
            throw new IOException(file + " has a line that is no figure: " + line, e);
        }
        throw new IOException(file + " has a line that is no figure: " + line);
    }
}
