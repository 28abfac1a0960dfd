// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/*
 * The operators are walked in the file's order. A dequantize node makes a view of codes. An operator
 * over views is pending until its quantize node comes, which completes a node of the integer graph;
 * a Relu or Clip between the two, or an integer Clip after them, becomes the node's bounds. A
 * dequantize node or matrix product that no quantize node follows gives float32 results.
 */
/** Reads the operators of a QDQ graph as nodes of an integer graph. */
final class QdqReader {

    private static final String UNDERSTOOD =
            "QuantizeLinear, DequantizeLinear, Conv, Gemm, MatMul, MaxPool, AveragePool,"
                    + " GlobalAveragePool, Add, Concat, Reshape, Flatten, Transpose, Slice, Pad, Gather, Relu,"
                    + " Clip, and for tables"
                    + " and float32 results Cast, Gather, ConvInteger, Mul, Max, Min, LeakyRelu, Less,"
                    + " Sub, Where";

    private final QdqContext context;
    private final WeightReader weights;
    private final OperatorReader operators;
    private final RuntimeFusions fusions;
    private final RectifierReader rectifiers;
    private final MoveReader moves;

    /** Float tensors that are dequantized codes, with the codes. */
    private final Map<String, String> views = new HashMap<>();

    private final Map<String, Pending> pending = new HashMap<>();

    /** Products with a matrix whose bias is added by the next operator. */
    private final Map<String, OnnxNode> unbiased = new HashMap<>();

    /** Tensors of int32 that are codes, with the codes. */
    private final Map<String, String> indices = new HashMap<>();

    /** Products of two constants. */
    private final Map<String, OnnxNode> products = new HashMap<>();

    private final Map<String, IntegerSum> sums = new HashMap<>();
    private final Set<String> done = new HashSet<>();

    /** Whether float tensors are quantized after clamps at most. */
    private final Map<String, Boolean> known = new HashMap<>();

    /**
     * The accumulators of a ConvInteger.
     *
     * @param node the ConvInteger
     * @param bias the initializer that was added; empty before that
     */
    private record IntegerSum(OnnxNode node, String bias) {}

    QdqReader(QdqContext context) {
        this.context = context;
        this.weights = new WeightReader(context);
        this.operators = new OperatorReader(context, weights);
        this.fusions = new RuntimeFusions(context, weights);
        this.rectifiers = new RectifierReader(context);
        this.moves = new MoveReader(context, operators);
    }

    OnnxReading read() {
        context.addWaiting();
        for (OnnxNode node : context.nodes()) {
            if (!done.contains(node.output())) {
                read(node);
            }
        }
        for (Pending left : pending.values()) {
            throw left.node().refusal("has float32 results; a QuantizeLinear must follow it");
        }
        return new OnnxReading(context.build(), fusions.deviations());
    }

    private void read(OnnxNode node) {
        String domain = node.proto().getDomain();
        node.require(
                domain.isEmpty() || domain.equals("ai.onnx"),
                "is of the domain '%s'; only ONNX's own operators are understood",
                domain);
        if (moves.reads(node)) {
            moves.read(node);
            return;
        }
        String result = node.output();
        switch (node.operator()) {
            case Operators.QUANTIZE -> quantize(node);
            case Operators.DEQUANTIZE -> dequantize(node);
            case Operators.CONV -> pending.put(result, operators.convolution(node, view(node, 0)));
            case Operators.CONV_INTEGER -> integerConvolution(node);
            case Operators.GEMM -> gemm(node);
            case Operators.MAT_MUL -> matMul(node);
            case Operators.MAX_POOL -> pending.put(result, operators.maxPool(node, view(node, 0)));
            case Operators.AVERAGE_POOL ->
                    pending.put(result, operators.averagePool(node, view(node, 0)));
            case Operators.GLOBAL_AVERAGE_POOL ->
                    pending.put(result, operators.globalAveragePool(node, view(node, 0)));
            case Operators.ADD -> add(node);
            case Operators.CONCAT -> pending.put(result, operators.concat(node, allViews(node)));
            case Operators.RESHAPE, Operators.FLATTEN -> reshape(node);
            case Operators.TRANSPOSE, Operators.SLICE, Operators.PAD -> move(node);
            case Operators.RELU -> relu(node);
            case Operators.CLIP -> clip(node);
            case Operators.CAST -> cast(node);
            case Operators.GATHER -> gather(node);
            case Operators.MUL -> multiply(node);
            case Operators.LEAKY_RELU -> rectifiers.leakyRelu(node);
            case Operators.MAX -> rectifiers.raise(node);
            case Operators.MIN -> rectifiers.lower(node);
            case Operators.LESS -> rectifiers.less(node);
            case Operators.SUB -> rectifiers.subtract(node);
            case Operators.WHERE -> rectifiers.choose(node);
            default ->
                    throw node.refusal(
                            "is not part of an integer graph; understood are %s", UNDERSTOOD);
        }
    }

    private String view(OnnxNode node, int index) {
        String codes = views.get(node.input(index));
        node.require(
                codes != null,
                "reads '%s', which is not dequantized codes; a DequantizeLinear must stand before"
                        + " it",
                node.input(index));
        return Objects.requireNonNull(codes);
    }

    private List<String> allViews(OnnxNode node) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < node.inputs().size(); i++) {
            all.add(view(node, i));
        }
        return all;
    }

    private void quantize(OnnxNode node) {
        node.requireInputs(2, 3);
        node.requireAttributes("axis");
        Optional<OnnxNode> clip =
                context.onlyConsumer(node.output())
                        .filter(next -> next.operator().equals(Operators.CLIP));
        String name = clip.orElse(node).output();
        done.add(name);
        if (context.isFloats(node.input(0))) {
            QuantParams params = context.params(node, name);
            CodeRange bounds = bounds(node, clip, name, params);
            node.require(
                    bounds.equals(params.range()),
                    "is clipped to the codes %d to %d; it must be %d to %d",
                    bounds.min(),
                    bounds.max(),
                    params.range().min(),
                    params.range().max());
            context.add(new Quantize(name, node.input(0), params));
            return;
        }
        Pending operator = pending.remove(node.input(0));
        node.require(
                operator != null,
                "reads '%s', which is neither an input nor the result of an operator over"
                        + " dequantized codes",
                node.input(0));
        complete(Objects.requireNonNull(operator), node, clip, name);
    }

    private void complete(Pending operator, OnnxNode node, Optional<OnnxNode> clip, String name) {
        String keeps = operator.keeps();
        if (keeps == null) {
            QuantParams params = context.params(node, name);
            CodeRange bounds = operator.bounds(params, bounds(node, clip, name, params));
            IntNode made = operator.maker().apply(name, new Output.Codes(params, bounds));
            context.add(made);
            fusions.check(made, operator.node(), operator);
            return;
        }
        QuantParams params = context.params(keeps);
        node.require(clip.isEmpty(), "is followed by a Clip, which moving codes cannot need");
        context.requireParams(node, keeps);
        CodeRange bounds = operator.bounds(params, params.range());
        context.add(operator.maker().apply(name, new Output.Codes(params, bounds)));
        context.sameContainers(keeps, name);
    }

    /** What the containers and an integer Clip leave of the codes. */
    private CodeRange bounds(
            OnnxNode node, Optional<OnnxNode> clip, String name, QuantParams params) {
        CodeRange range = params.range();
        CodeRange containers = range.signed() ? Containers.INT8 : Containers.UINT8;
        int low =
                clip.flatMap(next -> next.optionalInput(1))
                        .map(least -> context.code(least, name, range))
                        .orElse(containers.min());
        int high =
                clip.flatMap(next -> next.optionalInput(2))
                        .map(most -> context.code(most, name, range))
                        .orElse(containers.max());
        node.require(
                low < high && range.contains(low) && range.contains(high),
                "makes the codes %d to %d of '%s', which are said to be %d to %d",
                low,
                high,
                name,
                range.min(),
                range.max());
        return new CodeRange(low, high);
    }

    private void dequantize(OnnxNode node) {
        String input = node.input(0);
        if (context.constants().has(input)) {
            weights.note(node);
            return;
        }
        node.requireInputs(2, 3);
        node.requireAttributes("axis");
        node.require(
                context.isCodes(input),
                "reads '%s', which is neither a constant nor codes of an earlier operator",
                input);
        context.requireParams(node, input);
        String result = node.output();
        views.put(result, input);
        List<OnnxNode> readers = context.consumers(result);
        if (context.leaves(result)
                || readers.isEmpty()
                || readers.stream().anyMatch(this::readsFloats)) {
            context.add(new Dequantize(result, input));
        }
    }

    private boolean readsFloats(OnnxNode node) {
        return (isReshape(node) || RectifierReader.rectifies(node)) && !isQuantized(node.output());
    }

    private static boolean isReshape(OnnxNode node) {
        return node.operator().equals(Operators.RESHAPE)
                || node.operator().equals(Operators.FLATTEN);
    }

    /** Whether a quantize node follows, perhaps after clamps. */
    private boolean isQuantized(String values) {
        List<String> chain = new ArrayList<>();
        Optional<OnnxNode> next = context.onlyConsumer(values);
        chain.add(values);
        while (next.isPresent() && isClamp(next.get()) && !known.containsKey(values(chain))) {
            chain.add(next.get().output());
            next = context.onlyConsumer(values(chain));
        }
        boolean quantized =
                known.getOrDefault(
                        values(chain),
                        next.filter(last -> last.operator().equals(Operators.QUANTIZE))
                                .isPresent());
        chain.forEach(value -> known.put(value, quantized)); // long chains are walked once
        return quantized;
    }

    private static String values(List<String> chain) {
        return chain.get(chain.size() - 1);
    }

    private static boolean isClamp(OnnxNode node) {
        return node.operator().equals(Operators.RELU) || node.operator().equals(Operators.CLIP);
    }

    private void gemm(OnnxNode node) {
        String input = view(node, 0);
        if (isQuantized(node.output())) {
            pending.put(
                    node.output(),
                    Pending.clamping(
                            node, (name, output) -> operators.gemm(node, input, name, output)));
        } else {
            addFloats(node, operators.gemm(node, input, node.output(), new Output.Floats()));
        }
    }

    private void matMul(OnnxNode node) {
        String input = view(node, 0);
        boolean biased =
                context.onlyConsumer(node.output())
                        .filter(next -> next.operator().equals(Operators.ADD))
                        .isPresent();
        if (biased) {
            unbiased.put(node.output(), node);
        } else {
            product(node, input, Optional.empty(), node.output());
        }
    }

    private void product(OnnxNode node, String input, Optional<String> bias, String values) {
        if (isQuantized(values)) {
            pending.put(
                    values,
                    Pending.clamping(
                            node,
                            (name, output) -> operators.matMul(node, input, bias, name, output)));
        } else {
            addFloats(node, operators.matMul(node, input, bias, values, new Output.Floats()));
        }
    }

    private void addFloats(OnnxNode node, IntNode made) {
        context.add(made);
        fusions.check(made, node, null);
    }

    private void add(OnnxNode node) {
        node.requireInputs(2, 2);
        node.requireAttributes();
        String left = node.input(0);
        String right = node.input(1);
        IntegerSum sum = sums.get(left);
        if (sum != null && sum.bias().isEmpty()) {
            sums.put(node.output(), new IntegerSum(sum.node(), right));
        } else if (unbiased.containsKey(left) && weights.isConstant(right)) {
            biased(node, left, right);
        } else if (unbiased.containsKey(right) && weights.isConstant(left)) {
            biased(node, right, left);
        } else {
            pending.put(node.output(), operators.add(node, view(node, 0), view(node, 1)));
        }
    }

    private void biased(OnnxNode node, String values, String bias) {
        OnnxNode product = Objects.requireNonNull(unbiased.remove(values));
        product(product, view(product, 0), Optional.of(bias), node.output());
    }

    private void reshape(OnnxNode node) {
        String input = node.input(0);
        String codes = views.get(input);
        if (codes != null && isQuantized(node.output())) {
            Shape shape = operators.reshaped(node, context.shape(codes));
            pending.put(
                    node.output(),
                    Pending.keeping(
                            node, codes, (name, output) -> new Reshape(name, codes, shape)));
            return;
        }
        node.require(
                context.isFloats(input),
                "reads '%s', which is neither an input nor a float32 result",
                input);
        Shape shape = operators.reshaped(node, context.shape(input));
        context.add(new Reshape(node.output(), input, shape));
    }

    private void relu(OnnxNode node) {
        node.requireInputs(1, 1);
        node.requireAttributes();
        clamp(node, 0, Float.POSITIVE_INFINITY);
    }

    private void clip(OnnxNode node) {
        node.requireInputs(1, 3);
        node.requireAttributes();
        clamp(
                node,
                node.optionalInput(1)
                        .map(context.constants()::scalar)
                        .orElse(Float.NEGATIVE_INFINITY),
                node.optionalInput(2)
                        .map(context.constants()::scalar)
                        .orElse(Float.POSITIVE_INFINITY));
    }

    private void clamp(OnnxNode node, float least, float most) {
        if (context.isFloats(node.input(0))) {
            rectifiers.clamp(node, least, most);
            return;
        }
        Pending operator = pending.remove(node.input(0));
        node.require(
                operator != null && isQuantized(node.output()),
                "clamps '%s'; it must stand between an operator over dequantized codes and its"
                        + " QuantizeLinear",
                node.input(0));
        node.require(least <= most, "clamps to %s to %s", least, most);
        pending.put(node.output(), Objects.requireNonNull(operator).clamped(least, most));
    }

    private void cast(OnnxNode node) {
        node.requireInputs(1, 1);
        node.requireAttributes("to");
        String input = node.input(0);
        int type = node.integer("to", 0);
        if (sums.containsKey(input)) {
            node.requireInteger("to", 0, DataType.FLOAT_VALUE);
            sums.put(node.output(), Objects.requireNonNull(sums.get(input)));
            return;
        }
        node.require(
                context.isCodes(input)
                        && !context.isInt8(input)
                        && (type == DataType.INT32_VALUE || type == DataType.INT64_VALUE),
                "makes type %d of '%s'; only uint8 codes can be made indices, of int32 or int64",
                type,
                input);
        indices.put(node.output(), input);
    }

    private void gather(OnnxNode node) {
        if (views.containsKey(node.input(0))) {
            move(node);
        } else {
            table(node);
        }
    }

    /** An operator between a DequantizeLinear and a QuantizeLinear. */
    private void move(OnnxNode node) {
        String input = view(node, 0);
        IndexMap map = moves.step(node, context.shape(input), input);
        pending.put(
                node.output(),
                Pending.keeping(node, input, (name, output) -> Move.of(name, input, map)));
    }

    private void table(OnnxNode node) {
        node.requireInputs(2, 2);
        node.requireAttributes("axis");
        node.requireInteger("axis", 0, 0);
        String input = indices.get(node.input(1));
        node.require(
                input != null,
                "takes the indices '%s'; they must be codes that a Cast made int32",
                node.input(1));
        byte[] entries = context.constants().bytes(node.input(0), DataType.UINT8);
        node.require(
                entries.length == CodeTable.SIZE
                        && context.constants().dimensions(node.input(0)).size() == 1,
                "has a table of %d entries; a table of codes has %d",
                entries.length,
                CodeTable.SIZE);
        QuantParams params = context.annotatedParams(node);
        QuantParams from = context.params(Objects.requireNonNull(input));
        CodeTable table = CodeTable.of(Containers.flipped(entries, from, params));
        context.add(new Table(node.output(), input, table, params));
    }

    private void integerConvolution(OnnxNode node) {
        node.require(
                context.isCodes(node.input(0)) && !context.isInt8(node.input(0)),
                "reads '%s', which is not uint8 codes",
                node.input(0));
        sums.put(node.output(), new IntegerSum(node, ""));
    }

    private void multiply(OnnxNode node) {
        node.requireInputs(2, 2);
        node.requireAttributes();
        if (rectifiers.multiplies(node)) {
            return;
        }
        if (context.constants().has(node.input(0)) && context.constants().has(node.input(1))) {
            products.put(node.output(), node);
            return;
        }
        IntegerSum sum = sums.get(node.input(0));
        OnnxNode multiplier = products.get(node.input(1));
        node.require(
                sum != null && !sum.bias().isEmpty() && multiplier != null,
                "multiplies '%s' and '%s'; only the sums of a ConvInteger with its bias can be"
                        + " multiplied, with a product of scales",
                node.input(0),
                node.input(1));
        context.add(
                operators.integerConvolution(
                        Objects.requireNonNull(sum).node(),
                        sum.bias(),
                        Objects.requireNonNull(multiplier),
                        node.output()));
    }
}
