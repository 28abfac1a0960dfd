// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.function.ToIntFunction;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.activations.IActivation;

/**
 * The form of a layer that only applies a function to float32 results, as losses do. The network
 * infers it with the same definition of the function.
 */
public final class LastFunctionForm implements IntegerForm {

    /** Channels, height, width. */
    private static final int IMAGE_RANK = 3;

    /** Channels, depth, height, width. */
    private static final int VOLUME_RANK = 4;

    /** Channels, time. */
    private static final int SEQUENCE_RANK = 2;

    private final IActivation function;
    private final ToIntFunction<Shape> axis;

    private LastFunctionForm(IActivation function, ToIntFunction<Shape> axis) {
        this.function = function;
        this.axis = axis;
    }

    /**
     * Returns the form of a function along the last axis.
     *
     * @param function the function
     * @return the form
     */
    static LastFunctionForm of(IActivation function) {
        return new LastFunctionForm(function, LastFunctionForm::last);
    }

    /**
     * Returns the support of a loss.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(LossLayer layer) {
        IActivation function = Require.given(layer, "layer").getActivationFn();
        return IntegerSupport.of(tensors -> of(function));
    }

    /**
     * Returns the support of a loss of images.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(CnnLossLayer layer) {
        boolean channelsLast = Require.given(layer, "layer").getFormat() == CNN2DFormat.NHWC;
        return ofChannels(layer.getActivationFn(), channelsLast, IMAGE_RANK, "images");
    }

    /**
     * Returns the support of a loss of sequences.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(RnnLossLayer layer) {
        boolean channelsLast = Require.given(layer, "layer").getRnnDataFormat() == RNNFormat.NWC;
        return ofChannels(layer.getActivationFn(), channelsLast, SEQUENCE_RANK, "sequences");
    }

    /**
     * Returns the support of a loss of volumes.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(Cnn3DLossLayer layer) {
        boolean channelsLast =
                Require.given(layer, "layer").getDataFormat() == Convolution3D.DataFormat.NDHWC;
        return ofChannels(layer.getActivationFn(), channelsLast, VOLUME_RANK, "volumes");
    }

    private static IntegerSupport ofChannels(
            IActivation function, boolean channelsLast, int rank, String kind) {
        ToIntFunction<Shape> axis =
                shape -> {
                    if (shape.rank() != rank) {
                        throw new IntegerRefusal(
                                "it reads examples of shape " + shape + ", which are no " + kind,
                                "use the loss that fits the layer before it");
                    }
                    return channelsLast ? last(shape) : 0;
                };
        return IntegerSupport.of(tensors -> new LastFunctionForm(function, axis));
    }

    private static int last(Shape shape) {
        return shape.rank() - 1;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal input = inputs.get(0);
        if (LastFunctions.of(function, 0).isEmpty()) {
            return List.of(input);
        }
        Signal.Values values = values(graph, input);
        Shape shape = graph.type(values.node()).shape();
        Signal.Values result =
                LastFunctions.applied(
                        graph, values, LastFunctions.of(function, axis.applyAsInt(shape)));
        return List.of(
                OutputFunctions.isUnprepared(function)
                        ? result.unpreparedAt(graph.step())
                        : result);
    }

    static Signal.Values values(NodeEmitter graph, Signal input) {
        if (input instanceof Signal.Values values) {
            if (values.layer() == null) {
                throw new IntegerRefusal(
                        "it applies its function to a network input, before anything is computed",
                        "put a quantized layer before it, or apply the function outside the"
                                + " network");
            }
            return values;
        }
        String codes = graph.codes(input);
        String node = graph.add(new Dequantize(graph.inner("input"), codes));
        return Signal.Values.of(node, graph.step());
    }
}
