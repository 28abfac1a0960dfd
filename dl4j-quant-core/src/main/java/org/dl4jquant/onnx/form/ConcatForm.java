// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Concat;

/** Tensors one after another along the channels: Concat over dequantized codes. */
final class ConcatForm implements NodeForm<Concat> {

    private static final int CHANNELS = 1;

    @Override
    public Class<Concat> node() {
        return Concat.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.CONCAT);
    }

    @Override
    public void write(Concat node, FormWriter target) {
        String result =
                target.operator(
                        node, Operators.CONCAT, List.of(), List.of(Attributes.of("axis", 1)));
        target.quantize(node, result, node.params(), node.params().range());
    }

    @Override
    public Optional<Concat> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator(Operators.CONCAT).map(concat -> read(concat, codes, source));
    }

    private static Concat read(OnnxNode concat, QuantizedResult codes, FormReader source) {
        List<String> inputs = source.allCodes(concat);
        concat.requireAttributes("axis");
        int axis = concat.integer("axis", 0);
        int rank = source.shape(inputs.get(0)).rank() + 1;
        concat.require(
                axis == CHANNELS || axis + rank == CHANNELS,
                "joins along axis %d of %d; only the channels, axis 1, are understood",
                axis,
                rank);
        return new Concat(codes.rescaledName(source), inputs, codes.rescaled(source));
    }
}
