// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Graphs of one node after a quantized input, for tests. */
public final class SmallGraphs {

    private SmallGraphs() {}

    /**
     * {@return params of a scale, with zero point 0 and 8 unsigned bits}
     *
     * @param scale units per code
     */
    public static QuantParams uint8(double scale) {
        return new QuantParams((float) scale, 0, CodeRange.unsigned(8));
    }

    /**
     * {@return params of a scale, with zero point 0 and 8 signed bits}
     *
     * @param scale units per code
     */
    public static QuantParams int8(double scale) {
        return new QuantParams((float) scale, 0, CodeRange.signed(8));
    }

    /**
     * {@return a graph of an input 'x', its codes 'q' and more nodes; the last one is the output}
     *
     * @param shape one example's dimensions
     * @param params how the codes of 'q' stand for values
     * @param nodes the nodes after 'q'
     */
    public static IntGraph graph(Shape shape, QuantParams params, IntNode... nodes) {
        List<IntNode> all = new ArrayList<>();
        all.add(new Input("x", shape));
        all.add(new Quantize("q", "x", params));
        all.addAll(Arrays.asList(nodes));
        return IntGraph.of(all, List.of(all.get(all.size() - 1).name()));
    }

    /**
     * {@return 8-bit weights of scale 1 without bias}
     *
     * @param shape output channels first
     * @param codes the codes, row-major
     */
    public static WeightTensor weights(Shape shape, int... codes) {
        byte[] bytes = new byte[codes.length];
        for (int i = 0; i < codes.length; i++) {
            bytes[i] = (byte) codes[i];
        }
        float[] scales = new float[shape.size(0)];
        Arrays.fill(scales, 1f);
        return WeightTensor.of(shape, CodeRange.narrow(8), bytes, scales, new int[shape.size(0)]);
    }

    /**
     * {@return a window of the same padding on all sides}
     *
     * @param kernel rows and columns
     * @param stride the step
     * @param padding rows and columns around the image
     */
    public static Window window(int kernel, int stride, int padding) {
        return new Window(
                Extent.square(kernel),
                Extent.square(stride),
                Extent.ONE,
                Extent.square(padding),
                Extent.square(padding));
    }

    /**
     * {@return a batch of one example for the input 'x' of {@link #graph}}
     *
     * @param graph the graph
     * @param values the values, row-major
     */
    public static Map<String, Batch.Floats> example(IntGraph graph, double... values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return Map.of("x", Batch.Floats.of(1, graph.inputs().get(0).shape(), floats));
    }

    /**
     * {@return all codes of a batch}
     *
     * @param batch codes
     */
    public static List<Integer> codes(Batch batch) {
        Batch.Codes codes = (Batch.Codes) batch;
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < codes.containers().length; i++) {
            all.add(codes.code(i));
        }
        return all;
    }
}
