// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.numeric.CodeOperation.Kind;

/*
 * ONNX Runtime has a kernel for products of two tensors of codes, QLinearMul; everything else it
 * computes in float32 on dequantized codes, one rounding for each operation. A sum of two would be
 * QLinearAdd, which is another node, so that sums are written as Sum.
 */
/** Tensors combined place by place: Mul, Sum, Sub, Max, Min or Mean over dequantized codes. */
final class ElementwiseForm implements NodeForm<Elementwise> {

    private static final Map<Kind, String> OPERATORS =
            new EnumMap<>(
                    Map.of(
                            Kind.PRODUCT, Operators.MUL,
                            Kind.SUM, Operators.SUM,
                            Kind.DIFFERENCE, Operators.SUB,
                            Kind.MAXIMUM, Operators.MAX,
                            Kind.MINIMUM, Operators.MIN,
                            Kind.MEAN, Operators.MEAN));

    @Override
    public Class<Elementwise> node() {
        return Elementwise.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.MUL,
                Operators.SUM,
                Operators.SUB,
                Operators.MAX,
                Operators.MIN,
                Operators.MEAN);
    }

    @Override
    public void write(Elementwise node, FormWriter target) {
        String result =
                node.operation() == Kind.PRODUCT
                        ? products(node, target)
                        : target.operator(node, operator(node.operation()), List.of(), List.of());
        target.quantize(node, result, node.output().params(), node.output().bounds());
    }

    private static String operator(Kind kind) {
        return OPERATORS.getOrDefault(kind, "");
    }

    /* Mul takes two. */
    private static String products(Elementwise node, FormWriter target) {
        List<String> values = new ArrayList<>();
        node.inputs().forEach(input -> values.add(target.dequantized(node, input)));
        String product = values.get(0);
        for (int i = 1; i < values.size(); i++) {
            boolean last = i == values.size() - 1;
            String next =
                    last ? target.floats(node) : target.target().name(node.name() + "/product");
            List<String> factors = List.of(product, values.get(i));
            if (last) {
                target.target().node(Operators.MUL, node.name(), factors, next);
            } else {
                target.target().auxiliary(Operators.MUL, node.name() + "/mul", factors, next);
            }
            product = next;
        }
        return product;
    }

    @Override
    public Optional<Elementwise> quantized(QuantizedResult codes, FormReader source) {
        for (Map.Entry<Kind, String> entry : OPERATORS.entrySet()) {
            Optional<OnnxNode> operator = codes.operator(entry.getValue());
            if (operator.isPresent()) {
                return Optional.of(read(entry.getKey(), operator.get(), codes, source));
            }
        }
        return Optional.empty();
    }

    private static Elementwise read(
            Kind kind, OnnxNode operator, QuantizedResult codes, FormReader source) {
        operator.requireAttributes();
        boolean pairs = kind == Kind.PRODUCT || kind == Kind.DIFFERENCE;
        operator.requireInputs(2, pairs ? 2 : Integer.MAX_VALUE);
        List<String> inputs =
                kind == Kind.PRODUCT ? factors(operator, source) : source.allCodes(operator);
        return new Elementwise(codes.name(), kind, inputs, codes.clamped(source));
    }

    /* Only from left to right, since the order of roundings counts. */
    private static List<String> factors(OnnxNode product, FormReader source) {
        List<String> factors = new ArrayList<>();
        OnnxNode last = product;
        Optional<OnnxNode> before = product(last, source);
        while (before.isPresent()) {
            factors.add(0, source.codes(last, 1));
            last = before.get();
            last.requireInputs(2, 2);
            last.requireAttributes();
            source.take(last);
            before = product(last, source);
        }
        factors.add(0, source.codes(last, 1));
        factors.add(0, source.codes(last, 0));
        return factors;
    }

    /**
     * {@return whether an operator combines dequantized codes, so that its result is none of a node
     * before it is quantized}
     */
    static boolean combines(OnnxNode node, FormReader source) {
        if (!OPERATORS.containsValue(node.operator())) {
            return false;
        }
        OnnxNode first = node;
        Optional<OnnxNode> before = Optional.of(first);
        while (before.isPresent()) {
            first = before.get();
            if (!dequantized(first.inputs().stream().skip(1), source)) {
                return false;
            }
            before =
                    first.operator().equals(Operators.MUL)
                            ? source.graph().maker(first.input(0), Operators.MUL)
                            : Optional.empty();
        }
        return dequantized(first.inputs().stream(), source);
    }

    private static boolean dequantized(Stream<String> tensors, FormReader source) {
        return tensors.allMatch(tensor -> source.dequantized(tensor).isPresent());
    }

    private static Optional<OnnxNode> product(OnnxNode of, FormReader source) {
        return source.graph().maker(of.input(0), Operators.MUL).filter(mul -> !source.isTaken(mul));
    }
}
