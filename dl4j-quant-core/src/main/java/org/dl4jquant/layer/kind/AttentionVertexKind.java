// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.weights.WeightInitXavier;
import org.dl4jquant.layer.integer.AttentionProductsForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Dot product attention of three tensors. With projections of its own it is four layers, each a
 * convolution of one step without bias, and the products between them. Without, it has no weights,
 * and its heads, one or more, share the features of its inputs.
 */
record AttentionVertexKind(AttentionVertex configuration) implements LayerKind {

    private static final String WEIGHT = "W";

    @Override
    public CodeFlow flow() {
        return configuration.isProjectInput() ? CodeFlow.COMPUTES : CodeFlow.COMBINES;
    }

    @Override
    public int attentionHeads() {
        return configuration.isProjectInput() ? 0 : configuration.getNHeads();
    }

    /* The weighed mean of values that are never negative is none, either. */
    @Override
    public boolean keepsSign() {
        return true;
    }

    @Override
    public IntegerSupport integers() {
        return configuration.isProjectInput()
                ? AttentionProductsForm.whole()
                : AttentionProductsForm.of(configuration.getNHeads());
    }

    @Override
    public List<Piece> pieces() {
        if (!configuration.isProjectInput()) {
            return List.of();
        }
        long width = configuration.getNHeads() * configuration.getHeadSize();
        AttentionVertex products = new AttentionVertex();
        products.setProjectInput(false);
        products.setNHeads(configuration.getNHeads());
        return List.of(
                projection("/queries", configuration.getNInQueries(), width, 0, "Wq"),
                projection("/keys", configuration.getNInKeys(), width, 1, "Wk"),
                projection("/values", configuration.getNInValues(), width, 2, "Wv"),
                new Piece("/weighed", products, List.of(3, 4, 5), all -> Map.of()),
                projection("", width, configuration.getNOut(), 6, "Wo"));
    }

    private Piece projection(String ending, long in, long out, int input, String key) {
        return new Piece(
                ending,
                layer(in, out),
                List.of(input),
                all -> Map.of(WEIGHT, weight(Objects.requireNonNull(all.get(key), key))));
    }

    /* DL4J has [heads, size, n], and [n, outputs] for the joined heads. It reads the memory of the
     * layer's weight as [kernel, in, out], although it declares [out, in, kernel, 1]. */
    private static INDArray weight(INDArray projection) {
        INDArray inputFirst =
                projection.rank() == 2
                        ? projection
                        : projection
                                .dup('c')
                                .reshape(
                                        'c',
                                        projection.size(0) * projection.size(1),
                                        projection.size(2))
                                .transpose();
        return inputFirst.dup('c').reshape('c', inputFirst.size(1), inputFirst.size(0), 1, 1);
    }

    private Layer layer(long in, long out) {
        Convolution1DLayer layer =
                new Convolution1DLayer.Builder(1)
                        .nIn(in)
                        .nOut(out)
                        .hasBias(false)
                        .biasInit(0)
                        .convolutionMode(ConvolutionMode.Same)
                        .activation(new ActivationIdentity())
                        .weightInit(new WeightInitXavier())
                        .updater(configuration.getUpdater())
                        .biasUpdater(configuration.getBiasUpdater())
                        .gradientNormalization(configuration.getGradientNormalization())
                        .gradientNormalizationThreshold(
                                configuration.getGradientNormalizationThreshold())
                        .build();
        layer.setRegularization(configuration.getRegularization());
        layer.setRegularizationBias(configuration.getRegularizationBias());
        return layer;
    }
}
