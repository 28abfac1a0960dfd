// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.Arrays;
import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.FreeSteps;
import org.dl4jquant.numeric.RuntimeParams;
import org.dl4jquant.numeric.RuntimeScale;

/** A matrix product in int32 with rows of values, whose scale is found in them. */
final class DynamicDenseKernel implements Kernel {

    private final DynamicDense node;
    private final int[] weights; // (out, in); as int, so that the product becomes vector code
    private final int in;

    DynamicDenseKernel(DynamicDense node) {
        this.node = node;
        byte[] codes = node.weights().codes();
        this.weights = new int[codes.length];
        Arrays.setAll(weights, i -> codes[i]);
        this.in = node.weights().weightsPerChannel();
    }

    @Override
    public Batch run(List<Batch> inputs) {
        Batch.Floats input = (Batch.Floats) inputs.get(0);
        float[] values = input.values();
        int out = node.weights().channels();
        int inner = 1;
        for (int axis = node.axis() + 1; axis < input.shape().rank(); axis++) {
            inner *= input.shape().size(axis);
        }
        RuntimeParams ofBatch =
                node.scale() == RuntimeScale.PER_BATCH ? RuntimeParams.ofBatch(values) : null;
        Require.argument(
                ofBatch == null || Float.isFinite(ofBatch.scale()),
                "node '%s': the values of '%s' are too far apart for a scale of float32",
                node.name(),
                node.input());
        float[] results = new float[values.length / in * out];
        int[] row = new int[in];
        for (int rows = 0; rows < values.length / in; rows++) {
            int from = rows / inner * in * inner + rows % inner;
            RuntimeParams params =
                    ofBatch == null ? RuntimeParams.ofRow(values, from, in, inner) : ofBatch;
            for (int i = 0; i < in; i++) {
                row[i] = params.distance(values[from + i * inner]);
            }
            int to = rows / inner * out * inner + rows % inner;
            for (int channel = 0; channel < out; channel++) {
                results[to + channel * inner] =
                        params.value(
                                product(channel, row),
                                node.weights().scale(channel),
                                node.bias().value(channel));
            }
        }
        return Batch.Floats.of(
                input.size(), FreeSteps.resized(input.shape(), node.axis(), out), results);
    }

    private int product(int channel, int[] row) {
        int sum = 0;
        int start = channel * in;
        for (int i = 0; i < row.length; i++) {
            sum += weights[start + i] * row[i];
        }
        return sum;
    }
}
