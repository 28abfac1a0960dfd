// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Add;

/** A sum of two tensors: Add over dequantized codes. */
final class AddForm implements NodeForm<Add> {

    @Override
    public Class<Add> node() {
        return Add.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.ADD);
    }

    @Override
    public void write(Add node, FormWriter target) {
        String result = target.operator(node, Operators.ADD, List.of(), List.of());
        target.quantize(node, result, node.output().params(), node.output().bounds());
    }

    @Override
    public Optional<Add> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator(Operators.ADD).map(add -> read(add, codes, source));
    }

    private static Add read(OnnxNode add, QuantizedResult codes, FormReader source) {
        add.requireInputs(2, 2);
        add.requireAttributes();
        String left = source.codes(add, 0);
        String right = source.codes(add, 1);
        return new Add(codes.name(), left, right, codes.clamped(source));
    }
}
