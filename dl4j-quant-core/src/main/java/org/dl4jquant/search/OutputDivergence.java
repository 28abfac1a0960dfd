// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How far the network's probabilities move when one layer alone is rounded, weights and what they
 * are multiplied with: the Kullback-Leibler divergence {@code sum p log(p / q)} from those in
 * float, in nats, mean over the examples. It needs no labels.
 */
public final class OutputDivergence implements Sensitivity {

    /* Below it a probability has no digits left in float32. */
    private static final double LEAST = 1e-12;

    /* What float32 sums of probabilities may be off from 1. */
    private static final double ROUNDING = 1e-3;

    @Override
    public Sensitivities measure(SearchedNetwork network, List<Integer> widths) {
        List<INDArray> expected = network.data().stream().map(network.model()::output).toList();
        expected.forEach(OutputDivergence::requireProbabilities);
        return LayerTrial.run(
                "KL divergence, nats",
                network,
                widths,
                prepared -> {
                    double sum = 0;
                    long examples = 0;
                    for (int i = 0; i < expected.size(); i++) {
                        INDArray found = prepared.output(network.data().get(i));
                        sum += divergence(expected.get(i), found);
                        examples += found.size(0);
                    }
                    return sum / examples;
                });
    }

    private static void requireProbabilities(INDArray outputs) {
        INDArray sums = outputs.sum(1);
        Require.argument(
                outputs.minNumber().doubleValue() >= 0
                        && Math.abs(sums.maxNumber().doubleValue() - 1) < ROUNDING
                        && Math.abs(sums.minNumber().doubleValue() - 1) < ROUNDING,
                "the network's outputs are no probabilities of classes (they sum to %s, not 1); use"
                        + " HessianTrace or FisherScore",
                sums.getDouble(0));
    }

    private static double divergence(INDArray expected, INDArray found) {
        float[] p = RowMajor.floats(expected);
        float[] q = RowMajor.floats(found);
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            if (p[i] > 0) {
                sum += p[i] * Math.log(p[i] / Math.max(q[i], LEAST));
            }
        }
        return sum;
    }
}
