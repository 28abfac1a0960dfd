// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.TensorShapeProto;
import org.dl4jquant.onnx.wire.TypeProto;
import org.dl4jquant.onnx.wire.ValueInfoProto;

/** An input of the graph: float32, with a free batch dimension in front. */
final class InputForm implements NodeForm<Input> {

    @Override
    public Class<Input> node() {
        return Input.class;
    }

    @Override
    public List<String> operators() {
        return List.of();
    }

    @Override
    public void write(Input node, FormWriter target) {
        target.target().input(node.name(), target.type(node.name()));
    }

    /**
     * {@return the node of an input of an ONNX graph}
     *
     * @param input the input
     * @param metadata say how many steps a free number of them is
     */
    static Input read(Message input, GraphMetadata metadata) {
        String name = input.get(ValueInfoProto.NAME);
        OptionalInt steps = metadata.steps(name);
        OptionalInt timeAxis = OptionalInt.empty();
        Message type = input.get(ValueInfoProto.TYPE);
        Message tensor = type.get(TypeProto.TENSOR_TYPE);
        Require.argument(
                type.has(TypeProto.TENSOR_TYPE)
                        && tensor.get(TypeProto.ELEM_TYPE) == DataType.FLOAT.number(),
                "input '%s' is no float32 tensor; inputs must be, and be quantized in the graph",
                name);
        List<Message> dimensions = tensor.get(TypeProto.SHAPE).get(TensorShapeProto.DIM);
        List<Integer> sizes = new ArrayList<>();
        for (int axis = 1; axis < dimensions.size(); axis++) {
            Message dimension = dimensions.get(axis);
            long size = dimension.get(TensorShapeProto.DIM_VALUE);
            if (size == 0 && steps.isPresent() && timeAxis.isEmpty()) {
                timeAxis = OptionalInt.of(axis - 1);
                sizes.add(steps.getAsInt());
                continue;
            }
            Require.argument(
                    size > 0 && size <= Integer.MAX_VALUE,
                    "input '%s': the size of dimension %d is %s; all but the first, the batch, must"
                            + " be fixed",
                    name,
                    axis,
                    size == 0 ? "'" + dimension.get(TensorShapeProto.DIM_PARAM) + "'" : size);
            sizes.add((int) size);
        }
        Require.argument(
                steps.isPresent() == timeAxis.isPresent(),
                "metadata '%s%s' names a free number of steps, and input '%s' has none",
                Provenance.STEPS,
                name,
                name);
        return new Input(name, shape(name, sizes), timeAxis);
    }

    /** {@return whether an input of the file has a batch of one example} */
    static boolean isSingle(Message input) {
        List<Message> dimensions =
                input.get(ValueInfoProto.TYPE)
                        .get(TypeProto.TENSOR_TYPE)
                        .get(TypeProto.SHAPE)
                        .get(TensorShapeProto.DIM);
        return !dimensions.isEmpty() && dimensions.get(0).get(TensorShapeProto.DIM_VALUE) == 1;
    }

    private static Shape shape(String input, List<Integer> sizes) {
        try {
            return new Shape(sizes);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("input '" + input + "': " + e.getMessage(), e);
        }
    }
}
