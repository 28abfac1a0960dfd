// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** Matrix products of codes of which some have 16 bits, in int64. */
final class WideDenseKernel implements Kernel {

    private final int[] weights; // (out, in)
    private final long[] bias;
    private final int in;
    private final int zeroPoint;
    private final Requantization requantization;

    WideDenseKernel(Dense node, QuantParams input) {
        this.weights = node.weights().allCodes();
        this.bias = node.weights().longBias();
        this.in = node.weights().weightsPerChannel();
        this.zeroPoint = input.zeroPoint();
        this.requantization = new Requantization(node.output(), input, node.weights());
    }

    @Override
    public Batch run(List<Batch> inputs) {
        Batch.Codes input = (Batch.Codes) inputs.get(0);
        int out = bias.length;
        long[] accumulators = new long[input.size() * out];
        for (int example = 0; example < input.size(); example++) {
            for (int row = 0; row < out; row++) {
                long sum = bias[row];
                for (int i = 0; i < in; i++) {
                    sum +=
                            (long) weights[row * in + i]
                                    * (input.code(example * in + i) - zeroPoint);
                }
                accumulators[example * out + row] = sum;
            }
        }
        return requantization.apply(input.size(), Shape.of(out), accumulators);
    }
}
