// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.function.Function;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.onnx.form.OperatorMatch.Constant;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;

/** The int64 sums of a node of codes of 16 bits: products of bytes, put together. */
final class WideSums {

    private static final int BYTE = 1 << Byte.SIZE;
    private static final int HALF = BYTE / 2;

    private static final String WEIGHT = "/weight";
    private static final String UPPER = "/weight_upper";
    private static final String LOWER = "/weight_lower";
    private static final String SCALE = "/weight_scale";
    private static final String BIAS = "/bias";

    /**
     * The bytes of a tensor of codes.
     *
     * @param tensor uint8
     * @param zeroPoint their zero point
     * @param unit how many codes one unit of them is
     */
    private record Plane(String tensor, String zeroPoint, long unit) {}

    private WideSums() {}

    /** {@return the name of the sums with the bias, int64} */
    static String write(Weighted node, WideForm.Steps steps) {
        String sum = "";
        int count = 0;
        List<Plane> weights = weights(node, steps);
        for (Plane input : inputs(node, steps)) {
            for (Plane weight : weights) {
                count++;
                String term =
                        steps.cast(
                                "long" + count,
                                product(node, input, weight, count, steps),
                                DataType.INT64);
                long unit = input.unit() * weight.unit();
                if (unit > 1) {
                    String factor =
                            steps.graph()
                                    .longs(
                                            node.name() + "/unit" + count,
                                            new long[] {unit},
                                            new long[0]);
                    term = steps.step(Operators.MUL, "term" + count, term, factor);
                }
                sum = sum.isEmpty() ? term : steps.step(Operators.ADD, "sum" + count, sum, term);
            }
        }
        String bias =
                steps.graph()
                        .longs(
                                node.name() + BIAS,
                                node.weights().longBias(),
                                steps.perChannel(node));
        return steps.step(Operators.ADD, "accumulator", sum, bias);
    }

    private static String product(
            Weighted node, Plane input, Plane weight, int count, WideForm.Steps steps) {
        String part = node.name() + "/products" + count;
        String result = steps.graph().name(part);
        List<String> inputs =
                List.of(input.tensor(), weight.tensor(), input.zeroPoint(), weight.zeroPoint());
        if (node instanceof Convolution convolution) {
            List<Message> attributes = WindowForm.attributes(convolution.window(), true);
            attributes.add(Attributes.of("group", convolution.groups()));
            steps.graph()
                    .auxiliary(Operators.CONV_INTEGER, part, inputs, result)
                    .set(NodeProto.ATTRIBUTE, attributes);
        } else {
            steps.graph().auxiliary(Operators.MAT_MUL_INTEGER, part, inputs, result);
        }
        return result;
    }

    private static List<Plane> inputs(Weighted node, WideForm.Steps steps) {
        QuantParams params = steps.target().type(node.input()).codes();
        if (!params.range().isWide()) {
            return List.of(new Plane(node.input(), steps.target().zeroPoint(node.input()), 1));
        }
        int offset = params.range().signed() ? -Short.MIN_VALUE : 0;
        int zero = params.zeroPoint() + offset;
        String shifted =
                steps.step(
                        Operators.ADD,
                        "unsigned",
                        node.input(),
                        steps.constant("input_offset", offset));
        String share =
                steps.step(
                        Operators.MUL,
                        "upper_share",
                        shifted,
                        steps.constant("per_byte", 1f / BYTE));
        String upper = steps.step(Operators.FLOOR, "upper", share);
        String whole =
                steps.step(Operators.MUL, "upper_codes", upper, steps.constant("byte", BYTE));
        String lower = steps.step(Operators.SUB, "lower", shifted, whole);
        return List.of(
                new Plane(
                        steps.cast("upper_byte", upper, DataType.UINT8),
                        zeroPoint("upper_zero", zero / BYTE, steps),
                        BYTE),
                new Plane(
                        steps.cast("lower_byte", lower, DataType.UINT8),
                        zeroPoint("lower_zero", zero % BYTE, steps),
                        1));
    }

    private static String zeroPoint(String part, int code, WideForm.Steps steps) {
        return steps.graph()
                .bytes(steps.name() + "/" + part, DataType.UINT8, new byte[] {(byte) code});
    }

    private static List<Plane> weights(Weighted node, WideForm.Steps steps) {
        WeightTensor weights = node.weights();
        if (!weights.range().isWide()) {
            return List.of(plane(node, WEIGHT, 0, HALF, "weight_zero", steps));
        }
        return List.of(
                plane(node, UPPER, Byte.SIZE, HALF, "weight_upper_zero", steps),
                plane(node, LOWER, 0, 0, "weight_lower_zero", steps));
    }

    private static Plane plane(
            Weighted node,
            String name,
            int shift,
            int offset,
            String zeroPoint,
            WideForm.Steps steps) {
        int[] codes = node.weights().allCodes();
        boolean dense = node instanceof Dense;
        int rows = node.weights().channels();
        int length = codes.length / rows;
        byte[] bytes = new byte[codes.length];
        for (int i = 0; i < bytes.length; i++) {
            int to = dense ? i % length * rows + i / length : i;
            bytes[to] = (byte) ((codes[i] >> shift) + offset);
        }
        long[] dimensions =
                dense ? new long[] {length, rows} : WeightsForm.dimensions(node.weights().shape());
        return new Plane(
                steps.graph().bytes(node.name() + name, DataType.UINT8, bytes, dimensions),
                zeroPoint(zeroPoint, offset, steps),
                1L << shift);
    }

    /**
     * {@return the weights of a node}
     *
     * @param constants finds the constants of the file
     * @param range their codes
     * @param dense whether they are those of a dense node
     */
    static WeightTensor weights(
            Function<String, Constant> constants, CodeRange range, boolean dense) {
        Constant lower = constants.apply(range.isWide() ? LOWER : WEIGHT);
        List<Integer> sizes = lower.of().dimensions(lower.name());
        Require.argument(
                sizes.size() == (dense ? 2 : 4) && !sizes.contains(0),
                "weights '%s' have the dimensions %s; a dense node has 2, a convolution 4",
                lower.name(),
                sizes);
        int[] codes = new int[new Shape(sizes).elements()];
        if (range.isWide()) {
            Constant upper = constants.apply(UPPER);
            add(codes, lower, 1, 0);
            add(codes, upper, BYTE, HALF);
        } else {
            add(codes, lower, 1, HALF);
        }
        Constant scales = constants.apply(SCALE);
        Constant bias = constants.apply(BIAS);
        return WeightTensor.ofCodes(
                new Shape(dense ? List.of(sizes.get(1), sizes.get(0)) : sizes),
                range,
                dense ? transposed(codes, sizes.get(1)) : codes,
                scales.of().floats(scales.name()),
                bias.of().longs(bias.name()));
    }

    private static void add(int[] codes, Constant plane, int unit, int offset) {
        byte[] bytes = plane.of().bytes(plane.name(), DataType.UINT8);
        Require.argument(
                bytes.length == codes.length,
                "weights '%s' have %d bytes for %d codes",
                plane.name(),
                bytes.length,
                codes.length);
        for (int i = 0; i < codes.length; i++) {
            codes[i] += unit * ((bytes[i] & 0xff) - offset);
        }
    }

    /** From [in, out] to [out, in]. */
    private static int[] transposed(int[] codes, int rows) {
        int[] result = new int[codes.length];
        int length = codes.length / rows;
        for (int i = 0; i < codes.length; i++) {
            result[i % rows * length + i / rows] = codes[i];
        }
        return result;
    }
}
