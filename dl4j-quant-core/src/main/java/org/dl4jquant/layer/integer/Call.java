// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Objects;
import java.util.function.Supplier;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How a network calls a step in inference.
 *
 * @param workspaces where results live
 * @param mask the step's mask; null without one
 * @param inFloat DL4J's own inference of the step on the same inputs
 */
public record Call(
        LayerWorkspaceMgr workspaces, @Nullable INDArray mask, Supplier<INDArray> inFloat) {

    /** Checks the parts. */
    public Call {
        Objects.requireNonNull(workspaces, "workspaces");
        Objects.requireNonNull(inFloat, "inFloat");
    }
}
