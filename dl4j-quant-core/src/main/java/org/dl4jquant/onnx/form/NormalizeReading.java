// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.onnx.wire.DataType;
import org.jspecify.annotations.Nullable;

/**
 * The operators of a normalization, found from the last one back. Its numbers are read here; that
 * its operators are those which are written with these numbers, a {@link Term.Comparison} proves.
 */
final class NormalizeReading {

    private final OnnxGraph graph;
    private final Set<OnnxNode> parts = new LinkedHashSet<>();
    private List<Float> gains = List.of();
    private List<Float> shifts = List.of();
    private final OnnxNode quotient;
    private final OnnxNode centered;
    private final OnnxNode codes;

    private NormalizeReading(OnnxGraph graph, OnnxNode last) throws NotThis {
        this.graph = graph;
        OnnxNode at = last;
        if (at.operator().equals(Operators.ADD)) {
            shifts = places(at);
            at = maker(at, 0);
        }
        if (at.operator().equals(Operators.MUL)) {
            gains = places(at);
            at = maker(at, 0);
        }
        this.quotient = required(at, Operators.DIV);
        OnnxNode numerator = required(maker(quotient, 0), Operators.CAST);
        this.centered = required(maker(numerator, 0), Operators.SUB);
        OnnxNode minuend = maker(centered, 0);
        this.codes =
                required(
                        minuend.operator().equals(Operators.MUL) ? maker(minuend, 0) : minuend,
                        Operators.CAST);
        collect(last);
    }

    /** Says that the operators are not those of a normalization. */
    private static final class NotThis extends Exception {
        private static final long serialVersionUID = 1;
    }

    /**
     * {@return the normalization that an operator ends; empty if it ends another node}
     *
     * @param last the operator whose values are quantized
     * @param graph the file
     */
    static Optional<NormalizeReading> of(OnnxNode last, OnnxGraph graph) {
        try {
            return Optional.of(new NormalizeReading(graph, last));
        } catch (NotThis e) {
            return Optional.empty();
        }
    }

    private OnnxNode maker(OnnxNode reader, int index) throws NotThis {
        return graph.maker(reader.optionalInput(index).orElse("")).orElseThrow(NotThis::new);
    }

    private static OnnxNode required(OnnxNode node, String operator) throws NotThis {
        if (!node.operator().equals(operator)) {
            throw new NotThis();
        }
        return node;
    }

    private List<Float> places(OnnxNode node) throws NotThis {
        String constant = node.optionalInput(1).orElse("");
        if (!graph.constants().isOf(constant, DataType.FLOAT)) {
            throw new NotThis();
        }
        List<Float> values = new ArrayList<>();
        for (float value : graph.constants().floats(constant)) {
            values.add(value);
        }
        return values;
    }

    private void collect(OnnxNode last) {
        List<OnnxNode> open = new ArrayList<>(List.of(last));
        while (!open.isEmpty()) {
            OnnxNode node = open.remove(open.size() - 1);
            for (String input : node.inputs()) {
                OnnxNode before = graph.maker(input).orElse(null);
                if (before != null && !node.equals(codes) && parts.add(before)) {
                    open.add(before);
                }
            }
        }
    }

    /** {@return the operators before the last one} */
    Set<OnnxNode> parts() {
        return parts;
    }

    /** {@return the node, once all that stands before it has been read} */
    Normalize node(OnnxNode last, QuantizedResult result, FormReader source) {
        String input = codes.input(0);
        last.require(
                source.isCodes(input) && !source.scales().isInt8(input),
                "normalizes '%s', which is not uint8 codes",
                input);
        QuantParams params = source.params(input);
        Numbers numbers = numbers(last);
        Normalization formula =
                new Normalization(
                        numbers.centered,
                        numbers.factor,
                        numbers.offset,
                        numbers.power,
                        numbers.least,
                        gains,
                        shifts);
        NormalizeTerms terms =
                new NormalizeTerms(
                        numbers.span,
                        formula,
                        source.shape(input),
                        params.zeroPoint() + Containers.offset(params.range()));
        last.require(
                numbers.span.end() <= source.shape(input).rank()
                        && new Term.Comparison(graph).is(terms.values(input), last.output()),
                "ends a normalization of other operators than are understood");
        return new Normalize(result.name(), input, numbers.span, formula, result.clamped(source));
    }

    /**
     * The numbers of a normalization.
     *
     * @param centered as the node has it
     * @param factor as the node has it
     * @param offset as the node has it
     * @param power as the node has it
     * @param least as the node has it
     * @param span as the node has it
     */
    private record Numbers(
            boolean centered,
            float factor,
            float offset,
            double power,
            float least,
            Normalize.Span span) {}

    private Numbers numbers(OnnxNode last) {
        float least = 0;
        String at = quotient.input(1);
        OnnxNode max = graph.maker(at, Operators.MAX).orElse(null);
        if (max != null) {
            least = scalar(max);
            at = max.input(0);
        }
        List<String> factors = factors(at);
        List<String> roots = roots(factors.get(factors.size() - 1));
        String argument = roots.get(0);
        double power = 0;
        for (String factor : factors) {
            power += Math.scalb(1.0, -roots.indexOf(factor));
        }
        float offset = 0;
        float multiple = 1;
        OnnxNode add = graph.maker(argument, Operators.ADD).orElse(null);
        if (add != null) {
            offset = scalar(add);
            argument = add.input(0);
        }
        OnnxNode times = graph.maker(argument, Operators.MUL).orElse(null);
        if (times != null) {
            multiple = scalar(times);
            argument = times.input(0);
        }
        boolean centering = graph.maker(centered.input(0), Operators.MUL).isPresent();
        return new Numbers(centering, multiple, offset, power, least, span(last));
    }

    /* The factors of a product from left to right, but for the one by a constant, if it is one. */
    private List<String> factors(String product) {
        List<String> factors = new ArrayList<>();
        String at = product;
        OnnxNode mul = power(at);
        while (mul != null) {
            factors.add(0, mul.input(1));
            at = mul.input(0);
            mul = power(at);
        }
        factors.add(0, at);
        return factors;
    }

    private @Nullable OnnxNode power(String tensor) {
        return graph.maker(tensor, Operators.MUL)
                .filter(mul -> !graph.constants().has(mul.input(1)))
                .orElse(null);
    }

    /* What a root is of, and its roots up to it. */
    private List<String> roots(String last) {
        List<String> roots = new ArrayList<>(List.of(last));
        Optional<OnnxNode> sqrt = graph.maker(last, Operators.SQRT);
        while (sqrt.isPresent()) {
            roots.add(0, sqrt.get().input(0));
            sqrt = graph.maker(roots.get(0), Operators.SQRT);
        }
        return roots;
    }

    private float scalar(OnnxNode node) {
        return graph.constants().scalar(node.input(1));
    }

    private Normalize.Span span(OnnxNode last) {
        for (OnnxNode part : parts) {
            if (part.operator().equals(Operators.REDUCE_SUM)) {
                long[] axes = graph.constants().longs(part.input(1));
                last.require(
                        axes.length > 0 && axes[0] > 0,
                        "sums along no dimension, or along that of the examples");
                return Normalize.Span.whole((int) axes[0] - 1, axes.length);
            }
            if (part.operator().equals(Operators.PAD)) {
                long[] pads = graph.constants().longs(part.input(1));
                for (int axis = 1; axis < pads.length / 2; axis++) {
                    if (pads[axis] > 0) {
                        return new Normalize.Span(axis - 1, 1, (int) pads[axis] - 1);
                    }
                }
            }
        }
        throw last.refusal("ends a normalization without a sum");
    }
}
