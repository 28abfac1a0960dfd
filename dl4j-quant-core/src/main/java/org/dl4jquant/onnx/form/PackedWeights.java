// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.PackedInt4;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;
import org.dl4jquant.onnx.wire.TensorProto;

/*
 * ONNX Runtime 1.28.0 leaves a Conv in float32 whose weights a DequantizeLinear reads as INT4. It
 * computes a Cast of a constant once, when it loads the model, and then sees weights of 8 bits.
 */
/** Weights of four bits and less: two codes in a byte of the file, and a Cast to 8 bits. */
public final class PackedWeights {

    /** The first version of ONNX's operators that casts codes of 4 bits. */
    public static final long OPSET = 21;

    /** The number that codes are raised by where they must not be negative. */
    static final int UNSIGNED_OFFSET = 8;

    private static final CodeRange RANGE = CodeRange.signed(4);

    private PackedWeights() {}

    /**
     * {@return whether a graph has packed weights, and needs {@link #OPSET}}
     *
     * @param graph an ONNX graph
     */
    public static boolean areIn(Message graph) {
        return graph.get(GraphProto.INITIALIZER).stream().anyMatch(PackedWeights::isPacked);
    }

    private static boolean isPacked(Message tensor) {
        long type = tensor.get(TensorProto.DATA_TYPE);
        return type == DataType.INT4.number() || type == DataType.UINT4.number();
    }

    /** {@return whether weights are written packed} */
    static boolean pack(WeightTensor weights) {
        return RANGE.contains(weights.range().min()) && RANGE.contains(weights.range().max());
    }

    /**
     * Writes the codes of weights.
     *
     * @param name the node's name
     * @param weights the weights, which {@link #pack} accepts
     * @param unsigned whether they become uint8 codes, 8 higher, instead of int8 codes
     * @param graph the graph that the operators are added to
     * @return the name of the codes of 8 bits
     */
    static String write(String name, WeightTensor weights, boolean unsigned, GraphWriter graph) {
        byte[] packed = PackedInt4.pack(weights.codes());
        for (int i = 0; unsigned && i < packed.length; i++) {
            packed[i] ^= (byte) 0x88; // the highest bit of both codes: 8 more
        }
        String codes =
                graph.bytes(
                        name + "/weight",
                        unsigned ? DataType.UINT4 : DataType.INT4,
                        packed,
                        WeightsForm.dimensions(weights.shape()));
        String unpacked = graph.name(name + "/weight_codes");
        DataType type = unsigned ? DataType.UINT8 : DataType.INT8;
        graph.auxiliary(Operators.CAST, name + "/unpack_weight", List.of(codes), unpacked)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", type.number()));
        return unpacked;
    }

    /**
     * {@return the constant that holds codes: the tensor itself, or what a Cast makes them of}
     *
     * @param tensor a tensor
     * @param graph the graph
     */
    static Optional<String> constant(String tensor, OnnxGraph graph) {
        if (graph.constants().has(tensor)) {
            return Optional.of(tensor);
        }
        return graph.maker(tensor, Operators.CAST)
                .filter(cast -> cast.inputs().size() == 1)
                .filter(cast -> isUnpacking(cast, graph.constants()))
                .map(cast -> cast.input(0));
    }

    private static boolean isUnpacking(OnnxNode cast, Constants constants) {
        int type = cast.integer("to", 0);
        return (type == DataType.INT8.number() && constants.isOf(cast.input(0), DataType.INT4))
                || (type == DataType.UINT8.number()
                        && constants.isOf(cast.input(0), DataType.UINT4));
    }
}
