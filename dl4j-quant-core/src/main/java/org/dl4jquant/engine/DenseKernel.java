// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.Arrays;
import java.util.List;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** A matrix product in int32, with a vector per example. */
final class DenseKernel implements Kernel {

    private final int[] weights; // (out, in); as int, so that the product becomes vector code
    private final int[] bias;
    private final int in;
    private final int zeroPoint;
    private final Requantization requantization;

    DenseKernel(Dense node, QuantParams input) {
        byte[] codes = node.weights().codes();
        this.weights = new int[codes.length];
        Arrays.setAll(weights, i -> codes[i]);
        this.bias = node.weights().bias();
        this.in = node.weights().weightsPerChannel();
        this.zeroPoint = input.zeroPoint();
        this.requantization = new Requantization(node.output(), input, node.weights());
    }

    @Override
    public Batch run(List<Batch> inputs) {
        Batch.Codes input = (Batch.Codes) inputs.get(0);
        int out = bias.length;
        int[] accumulators = new int[input.size() * out];
        int[] vector = new int[in];
        for (int example = 0; example < input.size(); example++) {
            for (int i = 0; i < in; i++) {
                vector[i] = input.code(example * in + i) - zeroPoint;
            }
            for (int row = 0; row < out; row++) {
                accumulators[example * out + row] = bias[row] + product(row, vector);
            }
        }
        return requantization.apply(input.size(), Shape.of(out), accumulators);
    }

    private int product(int row, int[] vector) {
        int sum = 0;
        int start = row * in;
        for (int i = 0; i < vector.length; i++) {
            sum += weights[start + i] * vector[i];
        }
        return sum;
    }
}
