// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.MatMul;

/** A product of two tensors of codes: MatMul over dequantized codes on both sides. */
final class MatMulForm implements NodeForm<MatMul> {

    @Override
    public Class<MatMul> node() {
        return MatMul.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.MAT_MUL);
    }

    @Override
    public void write(MatMul node, FormWriter target) {
        String result = target.operator(node, Operators.MAT_MUL, List.of(), List.of());
        target.quantize(node, result, node.output().params(), node.output().bounds());
    }

    @Override
    public Optional<MatMul> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator(Operators.MAT_MUL)
                .filter(product -> product.inputs().size() == 2)
                .filter(product -> source.dequantized(product.input(1)).isPresent())
                .map(product -> read(product, codes, source));
    }

    private static MatMul read(OnnxNode product, QuantizedResult codes, FormReader source) {
        product.requireAttributes();
        String left = source.codes(product, 0);
        String right = source.codes(product, 1);
        return new MatMul(codes.name(), left, right, codes.clamped(source));
    }
}
