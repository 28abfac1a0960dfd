// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of dense layers and of output layers, whose function comes last.
 *
 * @param inputs the number of inputs
 * @param outputs the number of outputs
 * @param lastFunction the function of an output layer; null for a dense layer
 */
public record DenseForm(long inputs, long outputs, @Nullable IActivation lastFunction)
        implements WeightedArithmetic {

    /**
     * Returns the support of a dense layer.
     *
     * @param layer its configuration
     * @return a form, or the refusal of a layer normalization of too many outputs
     */
    public static IntegerSupport of(DenseLayer layer) {
        if (Require.given(layer, "layer").hasLayerNorm()) {
            long size = layer.getNOut();
            return size <= Normalization.MAX_LENGTH
                    ? IntegerSupport.of(tensors -> new NormalizedDenseForm(layer, tensors))
                    : IntegerSupport.refused(
                            "it normalizes rows of "
                                    + size
                                    + " products, and an integer graph has at most "
                                    + Normalization.MAX_LENGTH,
                            "use fewer outputs, or train the layer without hasLayerNorm");
        }
        return WeightedForm.of(new DenseForm(layer.getNIn(), layer.getNOut(), null), layer);
    }

    /**
     * Returns the support of an autoencoder, which is a dense layer but in pretraining.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(AutoEncoder layer) {
        Require.given(layer, "layer");
        return WeightedForm.of(new DenseForm(layer.getNIn(), layer.getNOut(), null), layer);
    }

    /**
     * Returns the support of an output layer.
     *
     * @param layer its configuration: an {@link org.deeplearning4j.nn.conf.layers.OutputLayer}, or
     *     a {@link org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer}, whose centers only its
     *     loss reads
     * @return a form
     */
    public static IntegerSupport of(BaseOutputLayer layer) {
        Require.given(layer, "layer");
        return WeightedForm.of(
                new DenseForm(layer.getNIn(), layer.getNOut(), layer.getActivationFn()), layer);
    }

    @Override
    public Layer sums() {
        DenseLayer sums =
                new DenseLayer.Builder()
                        .nIn(inputs)
                        .nOut(outputs)
                        .activation(new ActivationIdentity())
                        .build();
        sums.setHasBias(true);
        return sums;
    }

    @Override
    public INDArray outputFirst(INDArray weight) {
        return weight.transpose();
    }

    @Override
    public int rowAxis() {
        return 1;
    }

    @Override
    public int channelAxis() {
        return 1;
    }

    @Override
    public Weighted node(
            NodeEmitter graph, String name, String input, WeightTensor weights, Output output) {
        return new Dense(name, input, weights, output);
    }
}
