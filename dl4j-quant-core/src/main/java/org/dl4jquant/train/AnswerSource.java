// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where a teacher's answers come from. */
interface AnswerSource extends AutoCloseable {

    /**
     * {@return the results of the teacher's layers, in their order}
     *
     * @param inputs the network's inputs
     * @throws IllegalArgumentException if the teacher cannot take them
     */
    List<INDArray> answer(INDArray[] inputs);

    @Override
    void close();
}
