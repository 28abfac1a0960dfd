// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import org.dl4jquant.graph.node.MoveByMask;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** Codes of sequences that a mask chooses, one example after the other. */
final class MaskKernel implements Kernel {

    private final MoveByMask.Choice choice;
    private final QuantParams params;
    private final Shape result;
    private final int features;

    MaskKernel(MoveByMask node, TensorType input, Shape result) {
        this.choice = node.choice();
        this.params = input.codes();
        this.features = input.shape().size(0);
        this.result = result;
    }

    @Override
    public Batch run(List<Batch> inputs) {
        Batch.Codes codes = (Batch.Codes) inputs.get(0);
        Batch.Floats mask = (Batch.Floats) inputs.get(1);
        int steps = mask.shape().elements();
        float[] counting = mask.values();
        int[] to = new int[codes.size() * result.elements()];
        for (int example = 0; example < codes.size(); example++) {
            boolean[] counts = counting(counting, example, steps);
            for (int feature = 0; feature < features; feature++) {
                int row = example * features + feature;
                if (choice == MoveByMask.Choice.LAST) {
                    to[row] = codes.code(row * steps + last(counts));
                } else {
                    int hidden = hidden();
                    for (int t = 0; t < steps; t++) {
                        to[row * steps + t] = counts[t] ? codes.code(row * steps + t) : hidden;
                    }
                }
            }
        }
        return Batch.Codes.ofCodes(codes.size(), result, to, params);
    }

    private int hidden() {
        return choice == MoveByMask.Choice.ZERO ? params.zeroPoint() : params.range().min();
    }

    /** {@return which steps of an example count} */
    static boolean[] counting(float[] mask, int example, int steps) {
        boolean[] counts = new boolean[steps];
        for (int t = 0; t < steps; t++) {
            counts[t] = mask[example * steps + t] != 0;
        }
        return counts;
    }

    private static int last(boolean[] counts) {
        for (int t = counts.length - 1; t >= 0; t--) {
            if (counts[t]) {
                return t;
            }
        }
        return counts.length - 1;
    }
}
