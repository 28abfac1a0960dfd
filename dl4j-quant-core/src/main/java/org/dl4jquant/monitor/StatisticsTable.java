// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs the statistics of an iteration as a table. */
final class StatisticsTable implements StatisticsSink {

    private static final Logger LOG = LoggerFactory.getLogger(StatisticsTable.class);

    @Override
    public void report(List<QuantizerStatistics> quantizers) {
        if (LOG.isInfoEnabled() && !quantizers.isEmpty()) {
            LOG.info("{}", text(quantizers));
        }
    }

    /** {@return the table, its first line naming the iteration} */
    static String text(List<QuantizerStatistics> quantizers) {
        int width =
                quantizers.stream()
                        .mapToInt(one -> name(one).length())
                        .max()
                        .orElseThrow(() -> new IllegalArgumentException("no quantizers"));
        QuantizerStatistics first = quantizers.get(0);
        String nameFormat = "%n%-" + width + "s";
        StringBuilder table = new StringBuilder();
        table.append(
                String.format(
                        Locale.ROOT,
                        "quantizers, epoch %d, iteration %d",
                        first.epoch(),
                        first.iteration()));
        table.append(String.format(Locale.ROOT, nameFormat, ""))
                .append("                       scale  clipped %   SQNR dB  grad. ratio");
        for (QuantizerStatistics one : quantizers) {
            table.append(String.format(Locale.ROOT, nameFormat, name(one)))
                    .append(
                            String.format(
                                    Locale.ROOT,
                                    "  %24s  %9.3f  %8s  %11s",
                                    scale(one),
                                    100 * one.saturation(),
                                    number("%.2f", one.sqnr()),
                                    number("%.3g", one.gradientRatio())));
        }
        return table.toString();
    }

    private static String name(QuantizerStatistics one) {
        return one.layer() + " " + one.tensor();
    }

    private static String scale(QuantizerStatistics one) {
        String smallest = number("%.3e", one.smallestScale());
        return one.smallestScale() < one.largestScale()
                ? smallest + " .. " + number("%.3e", one.largestScale())
                : smallest;
    }

    private static String number(String format, double number) {
        return Double.isNaN(number) ? "-" : String.format(Locale.ROOT, format, number);
    }
}
