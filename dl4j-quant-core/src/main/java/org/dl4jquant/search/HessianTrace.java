// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The mean curvature of the loss along a layer's weights, times the squared error of rounding them:
 * {@code trace(H) / n * |Q(W) - W|^2}, the second-order estimate of what rounding costs.
 *
 * <p>The trace is Hutchinson's estimate, the mean of {@code v' H v} over vectors {@code v} of
 * random signs, and {@code H v} the central difference of gradients {@code (g(w + e v) - g(w - e
 * v)) / 2 e}, in float64, where batch normalizations use their running statistics, as in inference.
 * One vector for all layers at once costs two passes over the data. A negative trace counts as 0.
 *
 * @see <a href="https://arxiv.org/abs/1911.03852">Dong et al., 2019: HAWQ-V2</a>
 */
public final class HessianTrace implements Sensitivity {

    private static final Logger log = LoggerFactory.getLogger(HessianTrace.class);

    /* Of the weights' root mean square: the difference errs by its square, and by 1e-16 over it. */
    private static final double RELATIVE_STEP = 1e-3;

    private final int vectors;
    private final long seed;

    /**
     * Makes the measure.
     *
     * @param vectors how many random vectors, at least 1; 50 are usual
     * @param seed of the vectors
     */
    public HessianTrace(int vectors, long seed) {
        Require.argument(vectors >= 1, "a trace by %d random vectors; use 1 or more", vectors);
        this.vectors = vectors;
        this.seed = seed;
    }

    @Override
    public Sensitivities measure(SearchedNetwork network, List<Integer> widths) {
        List<Integer> ascending = SearchedNetwork.ascending(widths);
        Map<String, Double> means = meanTraces(network);
        Map<String, List<Double>> scores = new LinkedHashMap<>();
        network.layers().forEach(layer -> scores.put(layer, new ArrayList<>()));
        for (int bits : ascending) {
            network.errors(bits)
                    .forEach(
                            (layer, errors) ->
                                    Objects.requireNonNull(scores.get(layer))
                                            .add(
                                                    Math.max(0, means.getOrDefault(layer, 0.0))
                                                            * squares(errors)));
        }
        return new Sensitivities("mean Hessian trace x squared error", ascending, scores);
    }

    private static double squares(Map<String, INDArray> errors) {
        return errors.values().stream()
                .mapToDouble(error -> error.mul(error).sumNumber().doubleValue())
                .sum();
    }

    /**
     * {@return the trace of each layer's block of the Hessian, divided by its number of weights}
     */
    Map<String, Double> meanTraces(SearchedNetwork network) {
        MeasuredNetwork model = network.model().exactCopy();
        List<Block> blocks = blocks(model, network);
        double step = RELATIVE_STEP * rootMeanSquare(blocks);
        Random random = new Random(seed);
        for (int i = 0; i < vectors; i++) {
            blocks.forEach(block -> block.draw(random));
            addGradients(model, network.data(), blocks, step, 1);
            addGradients(model, network.data(), blocks, -step, -1);
            log.info("  Hessian: vector {} of {}", i + 1, vectors);
        }
        Map<String, Double> traces = new LinkedHashMap<>();
        Map<String, Long> counts = new LinkedHashMap<>();
        for (Block block : blocks) {
            traces.merge(block.layer, block.sum / (2 * step * vectors), Double::sum);
            counts.merge(block.layer, block.weights.length(), Long::sum);
        }
        traces.replaceAll((layer, sum) -> sum / Objects.requireNonNull(counts.get(layer)));
        return traces;
    }

    /* One weight parameter of a layer. */
    private static final class Block {

        private final String layer;
        private final String key;
        private final INDArray weights;
        private final INDArray original;
        private INDArray signs;
        private double sum;

        Block(String layer, String key, INDArray weights) {
            this.layer = layer;
            this.key = key;
            this.weights = weights;
            this.original = weights.dup('c');
            this.signs = original;
        }

        void draw(Random random) {
            double[] draws = new double[(int) original.length()];
            for (int i = 0; i < draws.length; i++) {
                draws[i] = random.nextBoolean() ? 1 : -1;
            }
            signs = Nd4j.create(draws, original.shape(), 'c').castTo(DataType.DOUBLE);
        }
    }

    private static List<Block> blocks(MeasuredNetwork model, SearchedNetwork network) {
        List<Block> blocks = new ArrayList<>();
        Map<String, Map<String, INDArray>> parameters = network.errors(CodeRange.MAX_BITS);
        for (String name : network.layers()) {
            Layer layer = Objects.requireNonNull(model.layer(name));
            for (String parameter : Objects.requireNonNull(parameters.get(name)).keySet()) {
                blocks.add(new Block(name, model.key(name, parameter), layer.getParam(parameter)));
            }
        }
        return blocks;
    }

    private static double rootMeanSquare(List<Block> blocks) {
        double sum = 0;
        long count = 0;
        for (Block block : blocks) {
            sum += block.original.mul(block.original).sumNumber().doubleValue();
            count += block.original.length();
        }
        return sum == 0 ? 1 : Math.sqrt(sum / count);
    }

    private static void addGradients(
            MeasuredNetwork model, List<DataSet> data, List<Block> blocks, double step, int sign) {
        blocks.forEach(block -> block.weights.assign(block.original.add(block.signs.mul(step))));
        long examples = data.stream().mapToLong(DataSet::numExamples).sum();
        for (DataSet batch : data) {
            Gradient gradient = model.gradient(batch);
            for (Block block : blocks) {
                INDArray found = gradient.getGradientFor(block.key);
                block.sum += sign * found.mul(block.signs).sumNumber().doubleValue() / examples;
            }
        }
        blocks.forEach(block -> block.weights.assign(block.original));
    }
}
