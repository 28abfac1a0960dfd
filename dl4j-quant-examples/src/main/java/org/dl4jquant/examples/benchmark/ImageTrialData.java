// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import org.dl4jquant.arbiter.TrialData;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Training;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Images as the data of a search in this process; they are not sent elsewhere.
 *
 * @param images the images to train with, and those to compare candidates on
 * @param seed decides over the order of the images
 */
@SuppressWarnings("serial") // not sent elsewhere
record ImageTrialData(TrainTest images, long seed) implements TrialData {

    private static final int CALIBRATION_IMAGES = 512;

    @Override
    public DataSetIterator train() {
        return images.train().shuffled(Training.BATCH, seed);
    }

    @Override
    public DataSetIterator calibration() {
        return calibration(images.train());
    }

    @Override
    public DataSetIterator validation() {
        return images.test().inOrder(Accuracy.BATCH);
    }

    @Override
    public String description() {
        return images.train() + " in order " + seed + ", " + images.test();
    }

    /** {@return some images to calibrate with} */
    static DataSetIterator calibration(LabelledImages images) {
        return images.first(CALIBRATION_IMAGES).inOrder(Training.BATCH);
    }
}
