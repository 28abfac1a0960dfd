// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.GlobalAveragePool;

/** The means of whole channels: GlobalAveragePool over dequantized codes. */
final class GlobalAveragePoolForm implements NodeForm<GlobalAveragePool> {

    @Override
    public Class<GlobalAveragePool> node() {
        return GlobalAveragePool.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.GLOBAL_AVERAGE_POOL);
    }

    @Override
    public void write(GlobalAveragePool node, FormWriter target) {
        String result = target.operator(node, Operators.GLOBAL_AVERAGE_POOL, List.of(), List.of());
        target.quantize(node, result, node.params(), node.params().range());
    }

    @Override
    public Optional<GlobalAveragePool> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator(Operators.GLOBAL_AVERAGE_POOL).map(pool -> read(pool, codes, source));
    }

    private static GlobalAveragePool read(OnnxNode pool, QuantizedResult codes, FormReader source) {
        String input = source.codes(pool, 0);
        pool.requireInputs(1, 1);
        pool.requireAttributes();
        return new GlobalAveragePool(codes.rescaledName(source), input, codes.rescaled(source));
    }
}
