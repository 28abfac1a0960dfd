// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.ExponentTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * What is float here is one operation at a time on numbers that Java, ONNX Runtime and CUDA round
 * alike: a Cast of int32, a Mul, a Round, a Min, a Div. ONNX Runtime's own softmax uses another exp.
 */
/**
 * The weights of an attention: MatMulInteger of codes, the distance to each row's largest product,
 * a table of powers, their sum, and a division.
 */
final class AttentionWeightsForm implements NodeForm<AttentionWeights> {

    private static final int LAST = -1;

    @Override
    public Class<AttentionWeights> node() {
        return AttentionWeights.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.DIV,
                Operators.MAT_MUL_INTEGER,
                Operators.ARG_MAX,
                Operators.REDUCE_SUM,
                Operators.SUB,
                Operators.CAST,
                Operators.MUL,
                Operators.ROUND,
                Operators.MIN,
                Operators.SHAPE,
                Operators.RESHAPE,
                Operators.GATHER_ELEMENTS,
                Operators.WHERE,
                Operators.NOT,
                Operators.UNSQUEEZE);
    }

    @Override
    public void write(AttentionWeights node, FormWriter target) {
        Steps steps = new Steps(node.name(), target.target());
        float unit =
                AttentionWeights.steps(type(node.queries(), target), type(node.keys(), target));
        String all =
                steps.step(
                        Operators.MAT_MUL_INTEGER,
                        "products",
                        node.queries(),
                        node.keys(),
                        target.zeroPoint(node.queries()),
                        target.zeroPoint(node.keys()));
        int rank = type(node.queries(), target).shape().rank();
        String products = node.mask().map(mask -> steps.hidden(all, mask, rank)).orElse(all);
        String most = steps.largest(products);
        String distance = steps.step(Operators.SUB, "distance", most, products);
        String scaled =
                steps.step(
                        Operators.MUL,
                        "scaled",
                        steps.cast("distance_float", distance, DataType.FLOAT),
                        steps.constant("steps", unit));
        String rounded = steps.step(Operators.ROUND, "rounded", scaled);
        String bounded =
                steps.step(
                        Operators.MIN,
                        "bounded",
                        rounded,
                        steps.constant("last", ExponentTable.SIZE - 1f));
        String powers = steps.lookUp(steps.cast("index", bounded, DataType.INT32));
        String sum = steps.sum(powers);
        String quotient = target.floats(node);
        target.target()
                .node(
                        Operators.DIV,
                        node.name(),
                        List.of(
                                steps.cast("powers_float", powers, DataType.FLOAT),
                                steps.cast("sum_float", sum, DataType.FLOAT)),
                        quotient);
        target.quantize(node, quotient, node.params(), node.params().range());
    }

    private static TensorType type(String name, FormWriter target) {
        return target.type(name);
    }

    /**
     * Writes operators whose names begin with the node's.
     *
     * @param name the node's name
     * @param graph takes the operators
     */
    private record Steps(String name, GraphWriter graph) {

        String step(String operator, String part, String... inputs) {
            String result = graph.name(name + "/" + part);
            graph.auxiliary(operator, result, Arrays.asList(inputs), result);
            return result;
        }

        String cast(String part, String input, DataType type) {
            String result = graph.name(name + "/" + part);
            graph.auxiliary(Operators.CAST, result, List.of(input), result)
                    .add(NodeProto.ATTRIBUTE, Attributes.of("to", type.number()));
            return result;
        }

        /* Of the batch and a mask's keys alone: the dimensions between have one index. */
        String hidden(String products, String mask, int rank) {
            String axes = graph.longs(name + "/axes", axesBetween(rank));
            String each = step(Operators.UNSQUEEZE, "keys", mask, axes);
            String lost = step(Operators.NOT, "lost", cast("counts", each, DataType.BOOL));
            String least = graph.ints(name + "/least", new int[] {AttentionWeights.HIDDEN});
            return step(Operators.WHERE, "counted", lost, least, products);
        }

        String constant(String part, float value) {
            return graph.floats(name + "/" + part, new float[] {value});
        }

        /* A ReduceMax has its axes as an attribute or as an input, depending on the opset. */
        String largest(String products) {
            String place = graph.name(name + "/place");
            graph.auxiliary(Operators.ARG_MAX, place, List.of(products), place)
                    .add(NodeProto.ATTRIBUTE, Attributes.of("axis", LAST));
            String result = graph.name(name + "/most");
            graph.auxiliary(Operators.GATHER_ELEMENTS, result, List.of(products, place), result)
                    .add(NodeProto.ATTRIBUTE, Attributes.of("axis", LAST));
            return result;
        }

        String sum(String powers) {
            return step(
                    Operators.REDUCE_SUM,
                    "sum",
                    powers,
                    graph.longs(name + "/axis", new long[] {LAST}));
        }

        String lookUp(String indices) {
            String dimensions = step(Operators.SHAPE, "dimensions", indices);
            String flat =
                    step(
                            Operators.RESHAPE,
                            "flat",
                            indices,
                            graph.longs(name + "/all", new long[] {-1}));
            String table = graph.ints(name + "/table", ExponentTable.toArray(), ExponentTable.SIZE);
            String found = step(Operators.GATHER_ELEMENTS, "found", table, flat);
            return step(Operators.RESHAPE, "powers", found, dimensions);
        }
    }

    private static long[] axesBetween(int rank) {
        return LongStream.range(1, rank).toArray();
    }

    /* Or a Where could be that of a MoveByMask, and an Unsqueeze a reshape. */
    @Override
    public void claim(FormReader source) {
        for (OnnxNode where : source.graph().nodes()) {
            if (where.operator().equals(Operators.WHERE)) {
                Optional<OnnxNode> lost = source.graph().maker(where.input(0), Operators.NOT);
                Optional<OnnxNode> counts =
                        lost.flatMap(not -> source.graph().maker(not.input(0), Operators.CAST));
                Optional<OnnxNode> keys =
                        counts.flatMap(
                                cast -> source.graph().maker(cast.input(0), Operators.UNSQUEEZE));
                lost.ifPresent(not -> source.take(where));
                Stream.of(lost, counts, keys).forEach(part -> part.ifPresent(source::take));
            }
        }
    }

    /** {@return whether a Mul makes steps of the distances to a row's largest product} */
    static boolean isProduct(OnnxNode product, FormReader source) {
        return source.graph()
                .onlyConsumer(product.output())
                .filter(next -> next.operator().equals(Operators.ROUND))
                .isPresent();
    }

    /** {@return whether a Min bounds these steps} */
    static boolean isBound(OnnxNode min, FormReader source) {
        return source.graph().maker(min.input(0), Operators.ROUND).isPresent();
    }

    @Override
    public Optional<AttentionWeights> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator(Operators.DIV)
                .map(quotient -> new Reading(source).read(quotient, codes));
    }

    /**
     * Reads what {@link #write} writes, from its end, and refuses anything else.
     *
     * @param source the graph so far
     */
    private record Reading(FormReader source) {

        AttentionWeights read(OnnxNode quotient, QuantizedResult codes) {
            quotient.requireInputs(2, 2);
            quotient.requireAttributes();
            OnnxNode powers = integers(quotient, 0, DataType.FLOAT, Operators.RESHAPE);
            OnnxNode sum = integers(quotient, 1, DataType.FLOAT, Operators.REDUCE_SUM);
            sum.requireAttributes("keepdims");
            sum.requireInteger("keepdims", 1, 1);
            sum.require(
                    sum.inputs().size() == 2
                            && sum.input(0).equals(powers.output())
                            && isLast(source.constants().longs(sum.input(1))),
                    "sums '%s' along other axes than the last one, or something else than '%s'",
                    sum.input(0),
                    powers.output());
            OnnxNode found = taken(powers, 0, Operators.GATHER_ELEMENTS);
            OnnxNode flat = taken(found, 1, Operators.RESHAPE);
            requireTable(found);
            OnnxNode bounded = integers(flat, 0, DataType.INT32, Operators.MIN);
            requireShapes(powers, flat);
            requireConstant(bounded, ExponentTable.SIZE - 1f);
            OnnxNode scaled = taken(taken(bounded, 0, Operators.ROUND), 0, Operators.MUL);
            OnnxNode distance = integers(scaled, 0, DataType.FLOAT, Operators.SUB);
            String counted = distance.input(1);
            Optional<OnnxNode> where = source.graph().maker(counted, Operators.WHERE);
            OnnxNode products =
                    where.isPresent()
                            ? taken(where.get(), 2, Operators.MAT_MUL_INTEGER)
                            : taken(distance, 1, Operators.MAT_MUL_INTEGER);
            requireLargest(taken(distance, 0, Operators.GATHER_ELEMENTS), counted);
            AttentionWeights node =
                    new AttentionWeights(
                            codes.name(),
                            factor(products, 0),
                            factor(products, 1),
                            codes.rescaled(source),
                            where.map(choice -> mask(choice, products)));
            requireConstant(
                    scaled, AttentionWeights.steps(type(node.queries()), type(node.keys())));
            return node;
        }

        private String mask(OnnxNode where, OnnxNode products) {
            int[] hidden = source.constants().ints(where.input(1));
            where.require(
                    hidden.length == 1 && hidden[0] == AttentionWeights.HIDDEN,
                    "has another number than %d for a key that does not count",
                    AttentionWeights.HIDDEN);
            OnnxNode cast = taken(taken(where, 0, Operators.NOT), 0, Operators.CAST);
            cast.requireAttributes("to");
            cast.requireInteger("to", 0, DataType.BOOL.number());
            OnnxNode each = taken(cast, 0, Operators.UNSQUEEZE);
            int rank = source.shape(products.input(0)).rank();
            each.require(
                    Arrays.equals(source.constants().longs(each.input(1)), axesBetween(rank)),
                    "has other axes than those between the batch and the keys");
            return each.input(0);
        }

        private TensorType type(String codes) {
            return new TensorType(source.shape(codes), source.params(codes));
        }

        private static boolean isLast(long[] axes) {
            return axes.length == 1 && axes[0] == LAST;
        }

        private OnnxNode taken(OnnxNode reader, int index, String operator) {
            OnnxNode maker =
                    source.graph()
                            .maker(reader.input(index), operator)
                            .orElseThrow(
                                    () ->
                                            reader.refusal(
                                                    "is part of the weights of an attention and"
                                                            + " reads '%s', which must be the"
                                                            + " result of a %s",
                                                    reader.input(index), operator));
            source.take(maker);
            return maker;
        }

        private OnnxNode integers(OnnxNode reader, int index, DataType type, String operator) {
            OnnxNode cast = taken(reader, index, Operators.CAST);
            cast.requireAttributes("to");
            cast.requireInteger("to", 0, type.number());
            return taken(cast, 0, operator);
        }

        private void requireTable(OnnxNode found) {
            found.requireAttributes("axis");
            found.requireInteger("axis", 0, 0);
            found.require(
                    Arrays.equals(source.constants().ints(found.input(0)), ExponentTable.toArray()),
                    "has another table '%s' than the %d powers of an attention's weights",
                    found.input(0),
                    ExponentTable.SIZE);
        }

        private void requireShapes(OnnxNode powers, OnnxNode flat) {
            OnnxNode dimensions = taken(powers, 1, Operators.SHAPE);
            dimensions.requireAttributes();
            dimensions.require(
                    dimensions.input(0).equals(flat.input(0)),
                    "measures '%s'; it must be the indices '%s'",
                    dimensions.input(0),
                    flat.input(0));
            flat.require(
                    Arrays.equals(source.constants().longs(flat.input(1)), new long[] {-1}),
                    "has another shape than [-1]");
        }

        private void requireConstant(OnnxNode node, float value) {
            float found = source.constants().scalar(node.input(1));
            node.require(
                    found == value,
                    "has the constant %s; in the weights of an attention it is %s",
                    found,
                    value);
        }

        private void requireLargest(OnnxNode most, String products) {
            OnnxNode place = taken(most, 1, Operators.ARG_MAX);
            place.requireAttributes("axis", "keepdims");
            place.requireInteger("axis", 0, LAST);
            place.requireInteger("keepdims", 1, 1);
            most.requireAttributes("axis");
            most.requireInteger("axis", 0, LAST);
            most.require(
                    most.input(0).equals(products) && place.input(0).equals(products),
                    "must be the largest of '%s' along the last axis",
                    products);
        }

        private String factor(OnnxNode products, int index) {
            products.requireInputs(4, 4);
            products.requireAttributes();
            String codes = products.input(index);
            products.require(
                    source.isCodes(codes) && !source.scales().isInt8(codes),
                    "multiplies '%s'; both factors must be uint8 codes",
                    codes);
            QuantParams params = source.params(codes);
            int zero = source.scales().code(products.input(index + 2), codes, params.range());
            products.require(
                    zero == params.zeroPoint(),
                    "has the zero point %d for '%s', which has %d",
                    zero,
                    codes,
                    params.zeroPoint());
            return codes;
        }
    }
}
