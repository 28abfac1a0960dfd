// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.onnx.wire.NodeProto;

/**
 * A product with a matrix: Gemm. Also read are MatMul, and MatMul with an Add of a dequantized
 * bias. Without a quantize node after it, the results are float32.
 */
final class DenseForm implements NodeForm<Dense> {

    @Override
    public Class<Dense> node() {
        return Dense.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.GEMM, Operators.MAT_MUL, Operators.ADD);
    }

    @Override
    public void write(Dense node, FormWriter target) {
        if (node.isWide(target.type(node.input()).codes())) {
            WideForm.write(node, target);
            return;
        }
        List<String> inputs = WeightsForm.write(node, node.weights(), node.input(), target);
        Output.Codes codes = node.output() instanceof Output.Codes c ? c : null;
        String result = codes == null ? node.name() : target.floats(node);
        target.target()
                .node(Operators.GEMM, node.name(), inputs, result)
                .add(NodeProto.ATTRIBUTE, Attributes.of("transB", 1));
        if (codes != null) {
            target.quantize(node, result, codes.params(), codes.bounds());
        }
    }

    @Override
    public Optional<IntNode> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator()
                .flatMap(last -> Product.endingWith(last, source))
                .map(product -> read(product, codes, source));
    }

    private static IntNode read(Product product, QuantizedResult codes, FormReader source) {
        source.codes(product.operator, 0);
        Output.Codes output = codes.clamped(source);
        return product.read(codes.name(), output, source);
    }

    @Override
    public Optional<IntNode> result(OnnxNode last, FormReader source) {
        if (source.graph().isQuantized(last.output())) {
            return Optional.empty();
        }
        Optional<Product> product = Product.endingWith(last, source);
        if (product.isEmpty()) {
            return Optional.empty();
        }
        IntNode node = product.get().read(last.output(), new Output.Floats(), source);
        source.fusions().check(node, product.get().operator, null);
        return Optional.of(node);
    }

    /** {@return the Gemm or MatMul of which an operator is the end} */
    static Optional<OnnxNode> product(OnnxNode last, FormReader source) {
        return Product.endingWith(last, source).map(Product::operator);
    }

    /**
     * A product and its bias.
     *
     * @param operator Gemm or MatMul
     * @param bias the dequantized bias, if there is one
     */
    private record Product(OnnxNode operator, Optional<String> bias) {

        /** {@return the product that ends with an operator} */
        static Optional<Product> endingWith(OnnxNode last, FormReader source) {
            return switch (last.operator()) {
                case Operators.GEMM -> Optional.of(new Product(last, last.optionalInput(2)));
                case Operators.MAT_MUL ->
                        isBiased(last, source)
                                ? Optional.empty()
                                : Optional.of(new Product(last, Optional.empty()));
                case Operators.ADD ->
                        last.inputs().size() == 2
                                ? biased(last, 0, 1, source).or(() -> biased(last, 1, 0, source))
                                : Optional.empty();
                default -> Optional.empty();
            };
        }

        private static boolean isBiased(OnnxNode product, FormReader source) {
            return source.graph()
                    .onlyConsumer(product.output())
                    .filter(next -> next.operator().equals(Operators.ADD))
                    .isPresent();
        }

        private static Optional<Product> biased(
                OnnxNode add, int values, int bias, FormReader source) {
            return source.graph()
                    .maker(add.input(values), Operators.MAT_MUL)
                    .filter(product -> isBiased(product, source))
                    .filter(product -> WeightsForm.isConstant(add.input(bias), source))
                    .map(product -> new Product(product, Optional.of(add.input(bias))));
        }

        IntNode read(String name, Output output, FormReader source) {
            String input = source.codes(operator, 0);
            source.take(operator);
            int axis = operator.operator().equals(Operators.GEMM) ? gemmAxis() : matMulAxis();
            if (source.shape(input).rank() == 2) {
                return Rows.read(operator, bias, axis, name, output, source);
            }
            WeightsForm.Read read = WeightsForm.read(operator, bias, input, axis, name, 1, source);
            return new Dense(name, read.input(), read.weights(), output);
        }

        private int gemmAxis() {
            operator.requireInputs(2, 3);
            operator.requireAttributes("alpha", "beta", "transA", "transB");
            operator.requireOne("alpha");
            operator.requireOne("beta");
            operator.requireInteger("transA", 0, 0);
            return operator.integer("transB", 0) == 0 ? 1 : 0;
        }

        private int matMulAxis() {
            operator.requireInputs(2, 2);
            operator.requireAttributes();
            return 1;
        }
    }
}
