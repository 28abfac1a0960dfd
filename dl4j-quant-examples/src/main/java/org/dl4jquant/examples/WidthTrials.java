// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.search.MixedPrecision;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tries widths by a short training: an epoch with most of the training pictures, judged by the
 * others. The test's pictures are not touched.
 *
 * @param trained the float network, which stays as it is
 * @param training an epoch with most of the pictures
 * @param judges the other pictures
 */
record WidthTrials(ComputationGraph trained, Training training, LabelledImages judges) {

    private static final Logger log = LoggerFactory.getLogger(WidthTrials.class);

    /* One of five pictures judges. */
    private static final int PARTS = 5;

    /**
     * {@return trials of a network's widths}
     *
     * @param trained the float network
     * @param fineTuning the training that follows for the best
     */
    static WidthTrials of(ComputationGraph trained, Training fineTuning) {
        LabelledImages all = fineTuning.images();
        int train = Math.max(1, all.size() - all.size() / PARTS);
        if (train == all.size()) {
            throw new IllegalArgumentException(
                    "%d pictures are too few to train widths with some and judge by others; %d are enough"
                            .formatted(all.size(), PARTS));
        }
        return new WidthTrials(
                trained,
                new Training(all.first(train), 1, fineTuning.seed()),
                all.from(train));
    }

    /**
     * {@return the widths that are the most accurate after a short training}
     *
     * @param proposals the widths; of equally accurate ones the first is taken
     * @throws IllegalStateException if none can be trained
     */
    MixedPrecision.Found best(List<MixedPrecision.Found> proposals) {
        TextTable table = TextTable.of("widths", "bytes of weights", "after an epoch, %");
        MixedPrecision.@Nullable Found best = null;
        double most = -1;
        for (int i = 0; i < proposals.size(); i++) {
            MixedPrecision.Found proposal = proposals.get(i);
            log.info("Try widths {} of {}: {}", i + 1, proposals.size(), proposal.widths());
            double accuracy = accuracy(proposal);
            table.row(
                    proposal.widths().toString(),
                    String.format(Locale.ROOT, "%,.0f", proposal.costs().get(0)),
                    accuracy < 0 ? "failed" : String.format(Locale.ROOT, "%.2f", 100 * accuracy));
            if (accuracy > most) {
                best = proposal;
                most = accuracy;
            }
        }
        log.info("{}{}", System.lineSeparator(), table);
        if (best == null) {
            throw new IllegalStateException(
                    "of %d proposed widths none could be trained".formatted(proposals.size()));
        }
        return best;
    }

    /* Below 0 if the training fails, of which the others must not suffer. */
    private double accuracy(MixedPrecision.Found widths) {
        try {
            ComputationGraph quantized =
                    MixedPrecisionExperiment.prepare(trained, widths.spec(), training);
            training.fit(quantized);
            return Accuracy.of(quantized, judges);
        } catch (IllegalArgumentException | IllegalStateException | ArithmeticException e) {
            log.warn("Widths {} cannot be trained", widths.widths(), e);
            return -1;
        }
    }
}
