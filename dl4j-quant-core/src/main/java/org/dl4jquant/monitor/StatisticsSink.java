// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import java.nio.file.Path;
import java.util.List;
import org.dl4jquant.check.Require;

/** Where the statistics of quantizers go. */
@FunctionalInterface
public interface StatisticsSink extends AutoCloseable {

    /**
     * Takes the statistics of one iteration. Never called by two threads at once.
     *
     * @param quantizers one for each quantizer of the network, in its order
     */
    void report(List<QuantizerStatistics> quantizers);

    /** Releases what the sink holds; does nothing unless a sink says otherwise. */
    @Override
    default void close() {}

    /** {@return a sink that logs a table, at level info, with SLF4J} */
    static StatisticsSink log() {
        return new StatisticsTable();
    }

    /**
     * {@return a sink that appends to a file of JSON, one object a line for each quantizer and
     * iteration, with the names of {@link QuantizerStatistics}; a figure that JSON has no number
     * for is null}
     *
     * <p>All lines of an iteration are written at once and flushed, so that a training that is
     * killed leaves whole lines; what a former one may have cut off is removed first.
     *
     * @param file is made if there is none, in a folder that is there
     * @throws IllegalArgumentException if the file holds something else; it stays as it was
     * @throws java.io.UncheckedIOException if it cannot be written
     */
    static StatisticsSink jsonLines(Path file) {
        Require.given(file, "file");
        return JsonLines.open(file);
    }
}
