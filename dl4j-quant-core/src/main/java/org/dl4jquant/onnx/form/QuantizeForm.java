// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;

/** Floats to codes: QuantizeLinear, and a Clip if there are fewer codes than a uint8 holds. */
final class QuantizeForm implements NodeForm<Quantize> {

    @Override
    public Class<Quantize> node() {
        return Quantize.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.QUANTIZE, Operators.DIV, Operators.ROUND, Operators.ADD, Operators.CLIP);
    }

    @Override
    public void write(Quantize node, FormWriter target) {
        if (node.params().range().isWide()) {
            WideForm.write(node, target);
            return;
        }
        target.quantize(node, node.input(), node.params(), node.params().range());
    }

    @Override
    public Optional<Quantize> quantized(QuantizedResult codes, FormReader source) {
        OnnxNode quantize = codes.quantize();
        if (!source.isFloats(quantize.input(0))) {
            return Optional.empty();
        }
        QuantParams params = source.scales().params(quantize, codes.name());
        CodeRange bounds = codes.integerBounds(params, source);
        quantize.require(
                bounds.equals(params.range()),
                "is clipped to the codes %d to %d; it must be %d to %d",
                bounds.min(),
                bounds.max(),
                params.range().min(),
                params.range().max());
        return Optional.of(new Quantize(codes.name(), quantize.input(0), params));
    }
}
