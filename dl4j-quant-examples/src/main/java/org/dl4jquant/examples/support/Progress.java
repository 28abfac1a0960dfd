// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.support;

import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs how far a training has come: every few seconds, and at the end of each epoch. */
public final class Progress extends BaseTrainingListener {

    private static final Logger log = LoggerFactory.getLogger(Progress.class);

    private static final long NANOS_BETWEEN_LINES = 5_000_000_000L;

    private final int epochs;
    private final int iterationsPerEpoch;
    private int epoch = 1;
    private int iteration;
    private double lossSum;
    private long lastLine = System.nanoTime();

    /**
     * Begins at the first of some epochs.
     *
     * @param epochs how many epochs there will be
     * @param iterationsPerEpoch how many iterations each of them has
     */
    public Progress(int epochs, int iterationsPerEpoch) {
        this.epochs = epochs;
        this.iterationsPerEpoch = iterationsPerEpoch;
    }

    @Override
    public void iterationDone(Model model, int totalIterations, int epochsDone) {
        iteration++;
        lossSum += model.score();
        long now = System.nanoTime();
        if (now - lastLine > NANOS_BETWEEN_LINES && iteration < iterationsPerEpoch) {
            lastLine = now;
            line();
        }
    }

    @Override
    public void onEpochEnd(Model model) {
        line();
        epoch++;
        iteration = 0;
        lossSum = 0;
        lastLine = System.nanoTime();
    }

    private void line() {
        log.info(
                "  epoch {} of {}, iteration {} of {}, mean loss {}",
                epoch,
                epochs,
                iteration,
                iterationsPerEpoch,
                String.format(Locale.ROOT, "%.4f", lossSum / Math.max(1, iteration)));
    }
}
