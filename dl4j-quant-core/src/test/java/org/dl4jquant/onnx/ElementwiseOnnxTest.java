// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeOperation.Kind;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tensors combined place by place: ONNX Runtime and the reference give the same codes. */
class ElementwiseOnnxTest {

    private static final int CODES = 256;
    private static final int SCALES = 2;
    private static final int MANY_SCALES = 20;
    private static final long SEED = 20261201;
    private static final int SHAPES = 8;
    private static final int MANY_SHAPES = 100;

    private static EqualityReport check(IntGraph graph, Map<String, Batch.Floats> inputs) {
        byte[] model = OnnxWriter.toBytes(graph);
        assertEquals(graph, OnnxReader.fromBytes(model, "written"));
        assertEquals(List.of(), OnnxReader.inspect(model, "written").deviations());
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            return EqualityCheck.between(reference, runtime).over(inputs);
        }
    }

    private static QuantParams params(Random random, float near) {
        CodeRange range = random.nextBoolean() ? CodeRange.unsigned(8) : CodeRange.signed(8);
        int zero = random.nextInt(3) == 0 ? 0 : range.min() + random.nextInt(CODES);
        float scale =
                random.nextInt(3) == 0
                        ? Math.scalb(1f, random.nextInt(5) - 2)
                        : (float) Math.exp(random.nextGaussian());
        return new QuantParams(near * scale, zero, range);
    }

    private static float resultScale(Kind kind, List<QuantParams> inputs) {
        float product = 40;
        float largest = 0;
        for (QuantParams input : inputs) {
            product *= input.scale();
            largest = Math.max(largest, input.scale());
        }
        return kind == Kind.PRODUCT ? product : largest;
    }

    /** All 65,536 pairs of codes, for many scales and all kinds of zero points. */
    @ParameterizedTest
    @EnumSource
    void combinesEveryPairOfCodesAsTheReferenceDoes(Kind kind) {
        requireEqualPairs(kind, SEED, SCALES);
    }

    @Tag("thorough")
    @ParameterizedTest
    @EnumSource
    void combinesEveryPairOfCodesAtManyScales(Kind kind) {
        requireEqualPairs(kind, SEED + 1, MANY_SCALES);
    }

    private static void requireEqualPairs(Kind kind, long seed, int scales) {
        Random random = new Random(seed + kind.name().hashCode());
        for (int trial = 0; trial < scales; trial++) {
            QuantParams left = params(random, 1);
            QuantParams right = params(random, 1);
            QuantParams result = params(random, resultScale(kind, List.of(left, right)));
            IntGraph graph =
                    IntGraph.of(
                            List.of(
                                    new Input("a", Shape.of(CODES)),
                                    new Quantize("left", "a", left),
                                    new Input("b", Shape.of(CODES)),
                                    new Quantize("right", "b", right),
                                    new Elementwise(
                                            "y",
                                            kind,
                                            List.of("left", "right"),
                                            Output.Codes.of(result))),
                            List.of("y"));
            float[] rows = new float[CODES * CODES];
            float[] columns = new float[CODES * CODES];
            for (int pair = 0; pair < rows.length; pair++) {
                rows[pair] = left.dequantize(left.range().min() + pair / CODES);
                columns[pair] = right.dequantize(right.range().min() + pair % CODES);
            }
            Map<String, Batch.Floats> inputs =
                    Map.of(
                            "a", Batch.Floats.of(CODES, Shape.of(CODES), rows),
                            "b", Batch.Floats.of(CODES, Shape.of(CODES), columns));
            EqualityReport report = check(graph, inputs);
            assertTrue(report.equal(), () -> kind + " of " + left + right + result + report);
        }
    }

    /** Some dimensions of size 1, clamps and fewer bits, up to six tensors. */
    @ParameterizedTest
    @EnumSource
    void repeatsDimensionsOfSizeOneAsTheReferenceDoes(Kind kind) {
        requireEqualShapes(kind, SEED, SHAPES);
    }

    @Tag("thorough")
    @ParameterizedTest
    @EnumSource
    void repeatsDimensionsOfManyShapes(Kind kind) {
        requireEqualShapes(kind, SEED + 1, MANY_SHAPES);
    }

    private static void requireEqualShapes(Kind kind, long seed, int shapes) {
        Random random = new Random(seed + kind.name().hashCode());
        for (int trial = 0; trial < shapes; trial++) {
            int tensors = kind.takes(3) ? 2 + random.nextInt(5) : 2;
            int rank = 1 + random.nextInt(4);
            int[] sizes = random.ints(rank, 1, 7).toArray();
            List<QuantParams> params = new ArrayList<>();
            List<String> names = new ArrayList<>();
            IntGraph.Builder graph = IntGraph.builder();
            Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
            for (int i = 0; i < tensors; i++) {
                int[] own = sizes.clone();
                for (int axis = 0; axis < rank; axis++) {
                    own[axis] = random.nextInt(3) == 0 ? 1 : own[axis];
                }
                params.add(params(random, 1));
                names.add("q" + i);
                graph.add(new Input("x" + i, Shape.of(own)));
                graph.add(new Quantize("q" + i, "x" + i, params.get(i)));
                inputs.put("x" + i, values(random, Shape.of(own), params.get(i)));
            }
            QuantParams result = params(random, resultScale(kind, params));
            int least = result.range().min() + random.nextInt(20);
            CodeRange bounds = new CodeRange(least, least + 1 + random.nextInt(200));
            graph.add(new Elementwise("y", kind, names, new Output.Codes(result, bounds)));
            EqualityReport report = check(graph.build(List.of("y"), Map.of()), inputs);
            assertTrue(report.equal(), () -> kind + " " + params + result + report);
        }
    }

    private static Batch.Floats values(Random random, Shape shape, QuantParams params) {
        int size = 3;
        float[] values = new float[size * shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = params.dequantize(params.range().min() + random.nextInt(CODES));
        }
        return Batch.Floats.of(size, shape, values);
    }

    @Test
    void productsOfTwoAreOneKernelOfOnnxRuntime() throws Exception {
        QuantParams params = new QuantParams(0.5f, 3, CodeRange.unsigned(8));
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("a", Shape.of(4)),
                                new Quantize("q", "a", params),
                                new Elementwise(
                                        "y",
                                        Kind.PRODUCT,
                                        List.of("q", "q"),
                                        Output.Codes.of(params))),
                        List.of("y"));
        assertTrue(
                RuntimeRun.optimized(OnnxWriter.toBytes(graph), OptLevel.ALL_OPT).stream()
                        .anyMatch(node -> node.getOpType().equals("QLinearMul")));
    }
}
