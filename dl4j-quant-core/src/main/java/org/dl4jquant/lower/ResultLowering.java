// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.layer.OutputFunctions;
import org.dl4jquant.layer.ResultActivation;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.activations.IActivation;

/*
 * Rectifiers are exact in float32 everywhere and become nodes, as long as nothing inexact stands
 * before them. All else becomes the output's last function, which engines apply in Java.
 */
/** Lowers the activation functions of results that leave a network as float32. */
final class ResultLowering {

    /** Channels, height, width. */
    private static final int IMAGE_RANK = 3;

    /** Channels, time. */
    private static final int SEQUENCE_RANK = 2;

    private final GraphBuilder graph;
    private final String name;

    ResultLowering(GraphBuilder graph, String name) {
        this.graph = graph;
        this.name = name;
    }

    /** {@return whether a layer that is not quantized does nothing but apply its function} */
    static boolean ends(Layer conf) {
        return conf.getClass() == ActivationLayer.class
                || conf.getClass() == LossLayer.class
                || conf.getClass() == CnnLossLayer.class
                || conf.getClass() == RnnLossLayer.class;
    }

    /**
     * {@return the results of a layer that computes, through its function}
     *
     * @param activation the layer's function
     * @param scores makes the node that computes, given its name
     */
    Signal lower(IActivation activation, Function<String, IntNode> scores) {
        // Whether it is rectified does not depend on the axis.
        boolean rectified = isRectified(functions(activation, 0));
        String node = graph.add(scores.apply(rectified ? graph.inner(name + "/sum") : name));
        Signal.Values values = Signal.Values.of(node, name);
        int last = graph.type(node).shape().rank() - 1;
        return applied(values, functions(activation, last));
    }

    /**
     * {@return the results of a layer that only applies its function}
     *
     * @param conf the layer
     * @param input what it reads
     */
    Signal lower(Layer conf, Signal input) {
        IActivation activation =
                conf instanceof ActivationLayer only
                        ? only.getActivationFn()
                        : ((BaseLayer) conf).getActivationFn();
        if (functions(activation, 0).isEmpty()) {
            return input;
        }
        Signal.Values values = values(input);
        Shape shape = graph.type(values.node()).shape();
        Signal.Values result = applied(values, functions(activation, axis(conf, shape)));
        return ResultActivation.replaces(activation) ? result.unpreparedAt(name) : result;
    }

    private Signal.Values values(Signal input) {
        if (input instanceof Signal.Values values) {
            if (values.layer() == null) {
                throw new LoweringException(
                        name,
                        "it applies its function to a network input, before anything is computed",
                        "put a quantized layer before it, or apply the function outside the"
                                + " network");
            }
            return values;
        }
        String codes = graph.codes(name, input);
        String node = graph.add(new Dequantize(graph.inner(name + "/input"), codes));
        return Signal.Values.of(node, name);
    }

    private int axis(Layer conf, Shape shape) {
        if (conf instanceof CnnLossLayer loss) {
            requireRank(shape, IMAGE_RANK, "images");
            return loss.getFormat() == CNN2DFormat.NHWC ? shape.rank() - 1 : 0;
        }
        if (conf instanceof RnnLossLayer loss) {
            requireRank(shape, SEQUENCE_RANK, "sequences");
            return loss.getRnnDataFormat() == RNNFormat.NWC ? shape.rank() - 1 : 0;
        }
        return shape.rank() - 1;
    }

    private void requireRank(Shape shape, int rank, String what) {
        if (shape.rank() != rank) {
            throw new LoweringException(
                    name,
                    "it reads examples of shape " + shape + ", which are no " + what,
                    "use the loss that fits the layer before it");
        }
    }

    private List<OutputFunction> functions(IActivation activation, int axis) {
        return OutputFunctions.of(activation, axis)
                .orElseThrow(
                        () ->
                                new LoweringException(
                                        name,
                                        "there is no exact form of its activation function "
                                                + activation.getClass().getName(),
                                        "use one of DL4J's own, or the identity, and apply the"
                                                + " function to what the engine returns"));
    }

    private static boolean isRectified(List<OutputFunction> functions) {
        return !functions.isEmpty()
                && functions.stream().allMatch(OutputFunction.Rectifier.class::isInstance);
    }

    private Signal.Values applied(Signal.Values scores, List<OutputFunction> functions) {
        if (!scores.functions().isEmpty() || !isRectified(functions)) {
            List<OutputFunction> all = new ArrayList<>(scores.functions());
            all.addAll(functions);
            return new Signal.Values(scores.node(), all, name, scores.unprepared());
        }
        String at = scores.node();
        for (int i = 0; i < functions.size(); i++) {
            boolean last = i == functions.size() - 1;
            OutputFunction.Rectifier function = (OutputFunction.Rectifier) functions.get(i);
            at = graph.add(new Rectify(last ? name : graph.inner(name + "/slope"), at, function));
        }
        return new Signal.Values(at, List.of(), name, scores.unprepared());
    }
}
