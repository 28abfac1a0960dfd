// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.search.MixedPrecision;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Selection of widths by training with each and comparing accuracies on held-out images, which are
 * neither trained nor tested with.
 *
 * @param trained the float network, which stays as it is
 * @param training the training of each
 * @param heldOut the held-out images
 */
record WidthSelection(ComputationGraph trained, Training training, LabelledImages heldOut) {

    private static final Logger log = LoggerFactory.getLogger(WidthSelection.class);

    /* One of three images is held out. */
    private static final int PARTS = 3;

    /**
     * {@return some images to train with, and as its test the held-out ones}
     *
     * @param train all images to train with
     * @throws IllegalArgumentException if there are too few
     */
    static TrainTest split(LabelledImages train) {
        int kept = train.size() / PARTS;
        if (kept == 0) {
            throw new IllegalArgumentException(
                    "%d images are too few to train with some and judge by others; %d are enough"
                            .formatted(train.size(), PARTS));
        }
        return new TrainTest(train.first(train.size() - kept), train.from(train.size() - kept));
    }

    /**
     * {@return the widths that are the most accurate after training}
     *
     * @param proposals the widths; of equally accurate ones the first is taken
     * @throws IllegalStateException if none can be trained
     */
    MixedPrecision.Found best(List<MixedPrecision.Found> proposals) {
        TextTable table = TextTable.of("widths", "bytes of weights", "of held-out images, %");
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

    /* Below 0 if the training fails, so that the others are still compared. */
    private double accuracy(MixedPrecision.Found widths) {
        try {
            ComputationGraph quantized =
                    MixedPrecisionExperiment.prepare(trained, widths.spec(), training);
            training.fit(quantized);
            return Accuracy.of(quantized, heldOut);
        } catch (IllegalArgumentException | IllegalStateException | ArithmeticException e) {
            log.warn("Widths {} cannot be trained: {}", widths.widths(), e.toString());
            return -1;
        }
    }
}
