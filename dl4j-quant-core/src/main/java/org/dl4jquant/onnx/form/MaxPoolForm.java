// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.QuantParams;

/** The maxima of a window: MaxPool over dequantized codes, which keeps their scale. */
final class MaxPoolForm implements NodeForm<MaxPool> {

    @Override
    public Class<MaxPool> node() {
        return MaxPool.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.MAX_POOL);
    }

    @Override
    public void write(MaxPool node, FormWriter target) {
        QuantParams params = target.type(node.name()).codes();
        String result =
                target.operator(
                        node,
                        Operators.MAX_POOL,
                        List.of(),
                        WindowForm.attributes(node.window(), true));
        target.quantize(node, result, params, params.range());
    }

    @Override
    public Optional<MaxPool> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator(Operators.MAX_POOL).map(pool -> read(pool, codes, source));
    }

    private static MaxPool read(OnnxNode pool, QuantizedResult codes, FormReader source) {
        String input = source.codes(pool, 0);
        pool.requireInputs(1, 1);
        pool.requireAttributes(
                "auto_pad",
                "ceil_mode",
                "dilations",
                "kernel_shape",
                "pads",
                "storage_order",
                "strides");
        Window window = pool.window(source.shape(input));
        return new MaxPool(codes.keptName(input, source), input, window);
    }
}
