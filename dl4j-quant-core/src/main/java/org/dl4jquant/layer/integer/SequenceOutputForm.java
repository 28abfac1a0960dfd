// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The form of output layers of sequences: a convolution of images of one row, with kernel 1 x 1.
 *
 * @param layer DL4J's configuration
 */
public record SequenceOutputForm(RnnOutputLayer layer) implements WeightedArithmetic {

    private static final int RANK = 2;

    /**
     * Returns the support of an output layer of sequences.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(RnnOutputLayer layer) {
        SequenceOutputForm form = new SequenceOutputForm(Require.given(layer, "layer"));
        IntegerSupport calibrated =
                ChannelsLastForm.of(layer.getRnnDataFormat(), WeightedForm.of(form, layer));
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
                        .nIn(layer.getNIn())
                        .nOut(layer.getNOut())
                        .activation(new ActivationIdentity())
                        .build();
        sums.setRnnDataFormat(layer.getRnnDataFormat());
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
        return layer.getRnnDataFormat() == RNNFormat.NWC ? 2 : 1;
    }

    @Override
    public IActivation lastFunction() {
        return layer.getActivationFn();
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
