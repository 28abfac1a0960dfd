// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Objects;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.nd.ChannelWalk;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.nd.Walk;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The change of each weight by rounding to the nearest code. */
final class WeightError {

    private WeightError() {}

    /** {@return rounded values less values, float64, of the tensor's shape} */
    static INDArray of(QuantizedTensor tensor) {
        QuantizedTensor.Grid grid = Objects.requireNonNull(tensor.grid());
        float[] values = RowMajor.floats(tensor.values());
        float[] scales = new float[values.length];
        ChannelWalk.of(Walk.rowMajor(tensor.values().shape()), grid.channels())
                .spread(0, RowMajor.floats(grid.scales()), scales, scales.length);
        double[] errors = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            double code = Math.rint(values[i] / scales[i]);
            double kept = Math.min(Math.max(code, grid.range().min()), grid.range().max());
            errors[i] = kept * scales[i] - values[i];
        }
        return Nd4j.create(errors, tensor.values().shape(), 'c').castTo(DataType.DOUBLE);
    }
}
