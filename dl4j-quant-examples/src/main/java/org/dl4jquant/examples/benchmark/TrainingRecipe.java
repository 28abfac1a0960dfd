// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.train.Distillation;
import org.dl4jquant.train.DistillationListener;
import org.dl4jquant.train.PrecisionSchedule;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The training of a quantized network: its targets, and its precision over the epochs. */
enum TrainingRecipe {
    /** From the labels, at the precision that it is made for. */
    LABELS {
        @Override
        void fit(ComputationGraph quantized, ComputationGraph trained, Training training) {
            training.fit(quantized);
        }
    },
    /**
     * From the labels, with half precision first, then 8 bits, then the precision of its scheme.
     */
    STAGES {
        @Override
        void fit(ComputationGraph quantized, ComputationGraph trained, Training training) {
            schedule(training.epochs()).attachTo(quantized);
            training.fit(quantized);
        }
    },
    /** From the labels and from the float network's probabilities. */
    TEACHER {
        @Override
        void fit(ComputationGraph quantized, ComputationGraph trained, Training training) {
            Distillation distillation =
                    Distillation.from(trained)
                            .withSoftLabels(TEMPERATURE, SOFT_SHARE)
                            .cachedInMemory(training.images().size());
            try (DistillationListener teaching = distillation.attach(quantized)) {
                log.info("  listening: {}", teaching);
                training.fit(quantized);
            }
        }
    };

    private static final Logger log = LoggerFactory.getLogger(TrainingRecipe.class);

    private static final double TEMPERATURE = 4;
    private static final double SOFT_SHARE = 0.7;

    /* The coarse stage needs the most epochs: it has half of them. */
    private static final int COARSE_SHARE = 2;

    /**
     * Trains a network for all epochs of a training.
     *
     * @param quantized the network to train
     * @param trained the float network that it was made from, which stays as it is
     * @param training epochs, order and images
     */
    abstract void fit(ComputationGraph quantized, ComputationGraph trained, Training training);

    private static PrecisionSchedule schedule(int epochs) {
        int fine = epochs / COARSE_SHARE;
        PrecisionSchedule.Builder stages = PrecisionSchedule.builder();
        if (fine / 2 > 0) {
            stages.untilEpoch(fine / 2, Precision.FP16);
        }
        if (fine > 0) {
            stages.untilEpoch(fine, Precision.INT8);
        }
        return stages.thenAsPrepared().build();
    }
}
