// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Reads the operators that compute codes from codes. */
final class OperatorReader {

    private static final int BATCH = 0;
    private static final int INFERRED = -1;

    private final QdqContext context;
    private final WeightReader weights;

    OperatorReader(QdqContext context, WeightReader weights) {
        this.context = context;
        this.weights = weights;
    }

    Pending convolution(OnnxNode node, String input) {
        node.requireInputs(2, 3);
        node.requireAttributes("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides");
        return Pending.clamping(
                node,
                (name, output) -> {
                    WeightTensor tensor = weights(node, input, 0, name, node.optionalInput(2));
                    return new Convolution(
                            name,
                            input,
                            tensor,
                            node.window(kernel(tensor.shape())),
                            node.integer("group", 1),
                            output);
                });
    }

    private static Extent kernel(Shape weights) {
        return new Extent(weights.size(2), weights.size(3));
    }

    /**
     * {@return a node for Gemm}
     *
     * @param node the operator
     * @param input the codes it reads
     * @param name the result's name
     * @param output what it makes of its accumulators
     */
    Dense gemm(OnnxNode node, String input, String name, Output output) {
        node.requireInputs(2, 3);
        node.requireAttributes("alpha", "beta", "transA", "transB");
        node.requireOne("alpha");
        node.requireOne("beta");
        node.requireInteger("transA", 0, 0);
        int axis = node.integer("transB", 0) == 0 ? 1 : 0;
        WeightTensor tensor = weights(node, input, axis, name, node.optionalInput(2));
        return new Dense(name, input, tensor, output);
    }

    /**
     * {@return a node for MatMul with the bias that is added after it}
     *
     * @param node the operator
     * @param input the codes it reads
     * @param bias the dequantized bias, if there is one
     * @param name the result's name
     * @param output what it makes of its accumulators
     */
    Dense matMul(OnnxNode node, String input, Optional<String> bias, String name, Output output) {
        node.requireInputs(2, 2);
        node.requireAttributes();
        return new Dense(name, input, weights(node, input, 1, name, bias), output);
    }

    private WeightTensor weights(
            OnnxNode node, String input, int axis, String name, Optional<String> bias) {
        float scale = context.params(input).scale();
        return weights.read(node, node.input(1), bias, scale, axis, name);
    }

    /**
     * {@return a convolution with float32 results, written as ConvInteger, Add, Cast, Mul}
     *
     * @param node the ConvInteger
     * @param bias the initializer that is added
     * @param multiplier the product of input scale and weight scales
     * @param name the result's name
     */
    Convolution integerConvolution(OnnxNode node, String bias, OnnxNode multiplier, String name) {
        String input = node.input(0);
        node.requireInputs(4, 4);
        node.requireAttributes("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides");
        QuantParams params = context.params(input);
        Constants constants = context.constants();
        node.require(
                context.code(node.input(2), input, params.range()) == params.zeroPoint()
                        && constants.scalar(multiplier.input(0)) == params.scale(),
                "has another zero point or scale than '%s' was made with",
                input);
        CodeRange range = weights.range(name);
        byte[] zeroPoint = constants.bytes(node.input(3), DataType.UINT8);
        node.require(
                zeroPoint.length == 1 && zeroPoint[0] == Containers.toFile(0, range),
                "has weights with another zero point than 128, in uint8");
        byte[] codes = constants.bytes(node.input(1), DataType.UINT8);
        Containers.flipInPlace(codes, range);
        List<Integer> dimensions = constants.dimensions(node.input(1));
        node.require(
                dimensions.size() == 4 && !dimensions.contains(0),
                "has weights of the dimensions %s; a two-dimensional convolution has 4",
                dimensions);
        Shape shape = new Shape(dimensions);
        requirePerChannel(node, bias, shape.size(0));
        requirePerChannel(node, multiplier.input(1), shape.size(0));
        WeightTensor tensor =
                WeightTensor.of(
                        shape,
                        range,
                        codes,
                        constants.floats(multiplier.input(1)),
                        constants.ints(bias));
        return new Convolution(
                name,
                input,
                tensor,
                node.window(kernel(shape)),
                node.integer("group", 1),
                new Output.Floats());
    }

    /* Of any other shape it would be added or multiplied along another axis. */
    private void requirePerChannel(OnnxNode node, String constant, int channels) {
        List<Integer> dimensions = context.constants().dimensions(constant);
        node.require(
                dimensions.equals(List.of(channels, 1, 1))
                        || dimensions.equals(List.of(1, channels, 1, 1)),
                "is followed by '%s' of the dimensions %s; one value per channel is [%d, 1, 1]",
                constant,
                dimensions,
                channels);
    }

    Pending maxPool(OnnxNode node, String input) {
        node.requireInputs(1, 1);
        node.requireAttributes(
                "auto_pad",
                "ceil_mode",
                "dilations",
                "kernel_shape",
                "pads",
                "storage_order",
                "strides");
        Window window = node.window();
        return Pending.keeping(node, input, (name, output) -> new MaxPool(name, input, window));
    }

    Pending averagePool(OnnxNode node, String input) {
        node.requireInputs(1, 1);
        node.requireAttributes(
                "auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides");
        Window window = node.window();
        boolean countPadding = node.integer("count_include_pad", 0) != 0;
        return Pending.rescaling(
                node, (name, params) -> new AveragePool(name, input, window, countPadding, params));
    }

    Pending globalAveragePool(OnnxNode node, String input) {
        node.requireInputs(1, 1);
        node.requireAttributes();
        return Pending.rescaling(
                node, (name, params) -> new GlobalAveragePool(name, input, params));
    }

    Pending add(OnnxNode node, String left, String right) {
        node.requireInputs(2, 2);
        node.requireAttributes();
        return Pending.clamping(node, (name, output) -> new Add(name, left, right, output));
    }

    Pending concat(OnnxNode node, List<String> inputs) {
        node.requireAttributes("axis");
        node.requireInteger("axis", 0, 1);
        return Pending.rescaling(node, (name, params) -> new Concat(name, inputs, params));
    }

    /**
     * {@return one example's dimensions after a Reshape or Flatten}
     *
     * @param node the operator
     * @param input one example's dimensions in front of it
     */
    Shape reshaped(OnnxNode node, Shape input) {
        if (node.operator().equals(Operators.FLATTEN)) {
            node.requireInputs(1, 1);
            node.requireAttributes("axis");
            node.requireInteger("axis", 1, 1);
            return Shape.of(input.elements());
        }
        node.requireInputs(2, 2);
        node.requireAttributes("allowzero");
        node.requireInteger("allowzero", 0, 0);
        long[] sizes = context.constants().longs(node.input(1));
        context.constants().requireVector(node.input(1));
        node.require(
                sizes.length >= 2 && (sizes[0] == BATCH || sizes[0] == INFERRED),
                "reshapes to a shape of %d sizes that does not keep the batch; the first must be 0"
                        + " or -1, and one more must follow",
                sizes.length);
        return resolved(node, sizes, input);
    }

    private static Shape resolved(OnnxNode node, long[] sizes, Shape input) {
        List<Integer> resolved = new ArrayList<>();
        int inferred = -1;
        long known = 1;
        for (int axis = 1; axis < sizes.length; axis++) {
            long size = sizes[axis];
            if (size == 0 && axis - 1 < input.rank()) {
                size = input.size(axis - 1);
            } else if (size == INFERRED && inferred < 0 && sizes[0] != INFERRED) {
                inferred = axis - 1;
                size = 1;
            }
            node.require(
                    size > 0 && size <= input.elements(),
                    "reshapes %s to a shape with the size %d",
                    input,
                    sizes[axis]);
            known = Math.min(known * size, Integer.MAX_VALUE);
            resolved.add((int) size);
        }
        if (inferred >= 0) {
            node.require(
                    input.elements() % known == 0,
                    "reshapes %s, whose elements cannot be shared by %d",
                    input,
                    known);
            resolved.set(inferred, (int) (input.elements() / known));
        }
        return new Shape(Objects.requireNonNull(resolved));
    }
}
