// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.RuntimeParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rounds to codes of scales that are found in the values themselves; gradients pass unchanged, as
 * no value is clipped (straight-through estimator).
 */
final class RuntimeRounder implements ValueRounder {

    private final RuntimeScale scale;
    private final int rowAxis;

    /**
     * Takes how scales are found.
     *
     * @param scale which values share a scale
     * @param rowAxis the dimension that a row lies along, not that of the examples
     */
    RuntimeRounder(RuntimeScale scale, int rowAxis) {
        this.scale = scale;
        this.rowAxis = rowAxis;
    }

    @Override
    public void forward(INDArray in, INDArray out) {
        float[] values = RowMajor.floats(in);
        float[] rounded = new float[values.length];
        int length = Math.toIntExact(in.size(rowAxis));
        int inner = 1;
        for (int axis = rowAxis + 1; axis < in.rank(); axis++) {
            inner *= Math.toIntExact(in.size(axis));
        }
        RuntimeParams ofBatch =
                scale == RuntimeScale.PER_BATCH ? RuntimeParams.ofBatch(values) : null;
        for (int row = 0; row < values.length / length; row++) {
            int from = row / inner * length * inner + row % inner;
            RuntimeParams params =
                    ofBatch == null ? RuntimeParams.ofRow(values, from, length, inner) : ofBatch;
            for (int i = from; i < from + length * inner; i += inner) {
                rounded[i] = params.distance(values[i]) * params.scale();
            }
        }
        RowMajor.copyInto(rounded, out);
    }

    @Override
    public void backward(INDArray in, INDArray upstream, INDArray gradient) {
        if (gradient != upstream) {
            gradient.assign(upstream);
        }
    }

    /** There are no scales that learn. */
    @Override
    public void setScaleGradients(INDArray view) {}
}
