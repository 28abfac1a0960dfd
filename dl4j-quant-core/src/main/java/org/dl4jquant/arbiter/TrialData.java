// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.io.Serializable;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** The data of a search; each trial asks for iterators of its own. */
public interface TrialData extends Serializable {

    /** {@return a new iterator over what is trained with} */
    DataSetIterator train();

    /**
     * {@return a new iterator over what is calibrated with: some hundreds of examples are enough}
     */
    default DataSetIterator calibration() {
        return train();
    }

    /** {@return a new iterator over what candidates are compared on, not the final test's data} */
    DataSetIterator validation();

    /**
     * {@return a description of the data; a search resumes only with data of the same description}
     */
    String description();
}
