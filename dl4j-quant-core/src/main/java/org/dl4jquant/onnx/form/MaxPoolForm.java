// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.onnx.wire.NodeProto;

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
        if (params.range().isWide()) {
            target.target()
                    .node(Operators.MAX_POOL, node.name(), List.of(node.input()), node.name())
                    .set(NodeProto.ATTRIBUTE, WindowForm.attributes(node.window(), true));
            target.annotate(node, params);
            return;
        }
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
        return new MaxPool(codes.keptName(input, source), input, window(pool, input, source));
    }

    /* Codes of 16 bits are float32 in the file, and pooled as they are. */
    @Override
    public Optional<MaxPool> result(OnnxNode last, FormReader source) {
        String input = last.operator().equals(Operators.MAX_POOL) ? last.input(0) : "";
        if (!source.isCodes(input) || !source.params(input).range().isWide()) {
            return Optional.empty();
        }
        source.scales().requireAnnotated(last, input, source.params(input));
        return Optional.of(new MaxPool(last.output(), input, window(last, input, source)));
    }

    private static Window window(OnnxNode pool, String input, FormReader source) {
        pool.requireInputs(1, 1);
        pool.requireAttributes(
                "auto_pad",
                "ceil_mode",
                "dilations",
                "kernel_shape",
                "pads",
                "storage_order",
                "strides");
        return pool.window(source.shape(input));
    }
}
