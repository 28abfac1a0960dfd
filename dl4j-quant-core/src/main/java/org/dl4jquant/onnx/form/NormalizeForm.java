// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.numeric.QuantParams;

/**
 * Normalizations: integer sums of squares, their roots, a division and a QuantizeLinear; and
 * LayerNormalization of other tools' files.
 */
final class NormalizeForm implements NodeForm<Normalize> {

    @Override
    public Class<Normalize> node() {
        return Normalize.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.SQRT,
                LayerNormalizations.OPERATOR,
                Operators.CUM_SUM,
                Operators.DIV,
                Operators.CAST,
                Operators.MUL,
                Operators.ADD,
                Operators.SUB,
                Operators.MAX,
                Operators.PAD,
                Operators.SLICE,
                Operators.REDUCE_SUM);
    }

    @Override
    public void write(Normalize node, FormWriter target) {
        QuantParams params = target.type(node.input()).codes();
        NormalizeTerms terms =
                new NormalizeTerms(
                        node.span(),
                        node.formula(),
                        target.type(node.input()).shape(),
                        params.zeroPoint() + Containers.offset(params.range()));
        String values =
                new Term.Writer(node.name(), target.target()).write(terms.values(node.input()));
        target.quantize(node, values, node.output().params(), node.output().bounds());
    }

    @Override
    public void claim(FormReader source) {
        for (OnnxNode quantize : source.graph().nodes()) {
            if (quantize.operator().equals(Operators.QUANTIZE)) {
                source.graph()
                        .maker(quantize.input(0))
                        .flatMap(last -> NormalizeReading.of(last, source.graph()))
                        .ifPresent(reading -> reading.parts().forEach(source::take));
            }
        }
    }

    /** {@return whether an operator is the last one of a normalization, which is quantized} */
    static boolean ends(OnnxNode last, FormReader source) {
        return source.graph().isQuantized(last.output())
                && NormalizeReading.of(last, source.graph()).isPresent();
    }

    @Override
    public Optional<Normalize> quantized(QuantizedResult codes, FormReader source) {
        Optional<OnnxNode> layer = codes.operator(LayerNormalizations.OPERATOR);
        if (layer.isPresent()) {
            return layer.map(operator -> LayerNormalizations.read(operator, codes, source));
        }
        return codes.operator()
                .flatMap(
                        last ->
                                NormalizeReading.of(last, source.graph())
                                        .map(reading -> reading.node(last, codes, source)));
    }
}
