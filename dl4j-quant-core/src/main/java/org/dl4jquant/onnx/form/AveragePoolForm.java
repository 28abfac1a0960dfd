// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.onnx.wire.Message;

/** The means of a window: AveragePool over dequantized codes. */
final class AveragePoolForm implements NodeForm<AveragePool> {

    @Override
    public Class<AveragePool> node() {
        return AveragePool.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.AVERAGE_POOL);
    }

    @Override
    public void write(AveragePool node, FormWriter target) {
        List<Message> attributes = WindowForm.attributes(node.window(), false);
        attributes.add(Attributes.of("count_include_pad", node.countPadding() ? 1 : 0));
        String result = target.operator(node, Operators.AVERAGE_POOL, List.of(), attributes);
        target.quantize(node, result, node.params(), node.params().range());
    }

    @Override
    public Optional<AveragePool> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator(Operators.AVERAGE_POOL).map(pool -> read(pool, codes, source));
    }

    private static AveragePool read(OnnxNode pool, QuantizedResult codes, FormReader source) {
        String input = source.codes(pool, 0);
        pool.requireInputs(1, 1);
        pool.requireAttributes(
                "auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides");
        Window window = pool.window(source.shape(input));
        boolean countPadding = pool.integer("count_include_pad", 0) != 0;
        return new AveragePool(
                codes.rescaledName(source), input, window, countPadding, codes.rescaled(source));
    }
}
