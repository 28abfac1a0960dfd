// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import java.util.Map;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One run of a recurrent layer over its time steps, with a hidden state rounded in between. */
sealed interface RecurrentPass permits LstmPass, SimpleRnnPass {

    /** DL4J's name of the hidden state that is remembered. */
    String HIDDEN_STATE = "prevAct";

    /** DL4J's name of an LSTM's memory cells that are remembered. */
    String MEMORY_CELLS = "prevMem";

    /** {@return the rounded hidden states, [m, n, T]} */
    INDArray result();

    /** {@return the same before they were rounded} */
    INDArray raw();

    /** {@return the state after the last step, [m, n] each; the arrays are copies} */
    Map<String, INDArray> end();

    /**
     * Sends gradients back through the steps; only once, because it overwrites what it needs.
     *
     * @param epsilon loss per unit of the result, [m, n, T]
     * @param length how many of the last steps they pass
     * @param views where the gradients of W, RW and b go
     * @param mgr the workspaces
     * @return loss per unit of the input, [m, nIn, T]; 0 for steps that were not reached
     */
    INDArray backward(INDArray epsilon, int length, Views views, LayerWorkspaceMgr mgr);

    /**
     * Where gradients of the parameters go.
     *
     * @param input of the input weights
     * @param recurrent of the recurrent weights
     * @param biases of the biases
     */
    record Views(INDArray input, INDArray recurrent, INDArray biases) {

        /** Sets all gradients to 0. */
        void clear() {
            input.assign(0);
            recurrent.assign(0);
            biases.assign(0);
        }
    }
}
