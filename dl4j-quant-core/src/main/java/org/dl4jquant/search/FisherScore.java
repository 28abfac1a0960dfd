// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.gradient.Gradient;
import org.dl4jquant.numeric.CodeRange;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The squared gradient of each weight, mean over the examples, times the squared error of rounding
 * it, summed over a layer's weights: the diagonal of the empirical Fisher information in the place
 * of the Hessian.
 *
 * @see <a href="https://arxiv.org/abs/1801.05787">Theis et al., 2018: Faster gaze prediction with
 *     dense networks and Fisher pruning</a>
 */
public final class FisherScore implements Sensitivity {

    private static final Logger log = LoggerFactory.getLogger(FisherScore.class);

    @Override
    public Sensitivities measure(SearchedNetwork network, List<Integer> widths) {
        List<Integer> ascending = SearchedNetwork.ascending(widths);
        Map<String, Map<String, INDArray>> squares = meanSquaredGradients(network);
        Map<String, List<Double>> scores = new LinkedHashMap<>();
        network.layers().forEach(layer -> scores.put(layer, new ArrayList<>()));
        for (int bits : ascending) {
            Map<String, Map<String, INDArray>> errors = network.errors(bits);
            scores.forEach(
                    (layer, row) ->
                            row.add(
                                    score(
                                            Objects.requireNonNull(errors.get(layer)),
                                            Objects.requireNonNull(squares.get(layer)))));
        }
        return new Sensitivities("Fisher information x squared error", ascending, scores);
    }

    private static double score(Map<String, INDArray> errors, Map<String, INDArray> squares) {
        double sum = 0;
        for (Map.Entry<String, INDArray> error : errors.entrySet()) {
            INDArray squared = Objects.requireNonNull(squares.get(error.getKey()));
            sum += error.getValue().mul(error.getValue()).mul(squared).sumNumber().doubleValue();
        }
        return sum;
    }

    private static Map<String, Map<String, INDArray>> meanSquaredGradients(
            SearchedNetwork network) {
        MeasuredNetwork model = network.model().exactCopy();
        Map<String, Map<String, INDArray>> sums = new LinkedHashMap<>();
        network.errors(CodeRange.MAX_BITS)
                .forEach(
                        (layer, errors) -> {
                            Map<String, INDArray> zeros = new LinkedHashMap<>();
                            errors.forEach((key, error) -> zeros.put(key, error.mul(0)));
                            sums.put(layer, zeros);
                        });
        int batches = network.data().size();
        long examples = 0;
        for (int i = 0; i < batches; i++) {
            for (DataSet example : network.data().get(i).asList()) {
                addSquares(model, model.gradient(example), sums);
                examples++;
            }
            log.info("  Fisher: batch {} of {}", i + 1, batches);
        }
        long count = examples;
        sums.values().forEach(layer -> layer.values().forEach(sum -> sum.divi(count)));
        return sums;
    }

    private static void addSquares(
            MeasuredNetwork model, Gradient gradient, Map<String, Map<String, INDArray>> sums) {
        sums.forEach(
                (name, parameters) -> {
                    parameters.forEach(
                            (key, sum) -> {
                                INDArray g = gradient.getGradientFor(model.key(name, key));
                                sum.addi(g.mul(g));
                            });
                });
    }
}
