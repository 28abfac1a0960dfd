// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The form of dense layers of each step of sequences, as output layers of sequences are: a
 * convolution of images of one row, with kernel 1 x 1.
 *
 * @param inputs the number of inputs
 * @param outputs the number of outputs
 * @param format the order of the network's own sequences
 * @param lastFunction the function of an output layer; null for a dense layer
 */
public record SequenceOutputForm(
        long inputs, long outputs, RNNFormat format, @Nullable IActivation lastFunction)
        implements WeightedArithmetic {

    private static final int RANK = 2;

    /**
     * Returns the support of an output layer of sequences.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(RnnOutputLayer layer) {
        Require.given(layer, "layer");
        return of(
                new SequenceOutputForm(
                        layer.getNIn(),
                        layer.getNOut(),
                        layer.getRnnDataFormat(),
                        layer.getActivationFn()),
                layer);
    }

    /**
     * Returns the support of a dense layer that is applied to each step of sequences.
     *
     * @param layer the configuration around the dense layer
     * @param dense the dense layer, without layer normalization
     * @return a form
     */
    public static IntegerSupport of(TimeDistributed layer, DenseLayer dense) {
        Require.given(layer, "layer");
        Require.given(dense, "dense");
        return of(
                new SequenceOutputForm(
                        dense.getNIn(), dense.getNOut(), layer.getRnnDataFormat(), null),
                layer);
    }

    private static IntegerSupport of(SequenceOutputForm form, Layer layer) {
        IntegerSupport calibrated =
                ChannelsLastForm.of(form.format(), WeightedForm.of(form, layer));
        return IntegerSupport.of(
                tensors ->
                        tensors.runtimeScale() == null
                                ? calibrated.form(tensors).orElseThrow()
                                : new DynamicForm(form, layer, tensors));
    }

    @Override
    public Layer sums() {
        RnnOutputLayer sums =
                new RnnOutputLayer.Builder(LossFunction.MSE)
                        .nIn(inputs)
                        .nOut(outputs)
                        .activation(new ActivationIdentity())
                        .build();
        sums.setRnnDataFormat(format);
        sums.setHasBias(true);
        return sums;
    }

    @Override
    public INDArray outputFirst(INDArray weight) {
        return weight.transpose();
    }

    @Override
    public int rowAxis() {
        return channelAxis();
    }

    @Override
    public int channelAxis() {
        return format == RNNFormat.NWC ? 2 : 1;
    }

    /* The mask of the features does not reach the result of an output layer. DL4J's TimeDistributed
     * gives the steps of a batch and their masks different orders, so that no engine, which knows
     * one example at a time, could follow it. */
    @Override
    public MaskUse maskUse() {
        return lastFunction == null ? MaskUse.REFUSED : MaskUse.UNDERSTOOD;
    }

    @Override
    public boolean isSequence() {
        return true;
    }

    @Override
    public Weighted node(
            NodeEmitter graph, String name, String input, WeightTensor weights, Output output) {
        Shape sequence = Dimensions.require(graph, input, RANK);
        Shape row = Shape.of(sequence.size(0), 1, sequence.size(1));
        String image = graph.add(new Reshape(graph.inner("row"), input, row));
        WeightTensor filters =
                weights.reshaped(Shape.of(weights.channels(), weights.weightsPerChannel(), 1, 1));
        Window window = Window.of(Window.Extent.ONE, Window.Extent.ONE);
        return new Convolution(name, image, filters, window, 1, output);
    }

    @Override
    public List<IndexMap> rearranged(Shape input, int channels) {
        Shape row = Shape.of(channels, 1, input.size(input.rank() - 1));
        Shape sequence = Shape.of(channels, input.size(input.rank() - 1));
        return List.of(IndexMap.identity(row).reshaped(sequence));
    }
}
