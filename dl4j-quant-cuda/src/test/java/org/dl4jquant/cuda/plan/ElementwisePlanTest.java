// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeOperation.Kind;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tensors combined place by place, with repeated dimensions, run on the CPU. */
class ElementwisePlanTest {

    private static final int GRAPHS = 4;
    private static final int BATCH = 2;
    private static final int CODES = 256;
    private static final int[] CHANNELS = {1, 3, 16, 17, 33};

    @ParameterizedTest
    @EnumSource
    void combinesAsTheReferenceDoes(Kind kind) {
        for (int trial = 0; trial < GRAPHS; trial++) {
            Random random = new Random(31L * trial + kind.name().hashCode());
            int[] sizes = {
                CHANNELS[random.nextInt(CHANNELS.length)],
                1 + random.nextInt(4),
                1 + random.nextInt(5)
            };
            int tensors = kind.takes(3) ? 2 + random.nextInt(7) : 2;
            Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
            IntGraph.Builder graph = IntGraph.builder();
            List<String> names = new ArrayList<>();
            float scale = kind == Kind.PRODUCT ? 1 / 40f : 1;
            for (int i = 0; i < tensors; i++) {
                QuantParams params = params(random, 1 / 40f);
                Shape shape = repeatable(random, sizes);
                graph.add(new Input("x" + i, shape));
                graph.add(new Quantize("q" + i, "x" + i, params));
                names.add("q" + i);
                inputs.put("x" + i, values(random, shape, params));
            }
            Output.Codes output = Output.Codes.of(params(random, scale));
            graph.add(new Elementwise("y", kind, names, output));
            requireExact(graph.build(List.of("y"), Map.of()), inputs, trial);
        }
    }

    private static Shape repeatable(Random random, int[] sizes) {
        int[] own = sizes.clone();
        for (int axis = 0; axis < own.length; axis++) {
            own[axis] = random.nextInt(3) == 0 ? 1 : own[axis];
        }
        return Shape.of(own);
    }

    private static QuantParams params(Random random, float scale) {
        CodeRange range = random.nextBoolean() ? CodeRange.unsigned(8) : CodeRange.signed(8);
        return new QuantParams(
                scale * (float) Math.exp(random.nextGaussian() / 2),
                range.min() + random.nextInt(CODES),
                range);
    }

    private static Batch.Floats values(Random random, Shape shape, QuantParams params) {
        float[] values = new float[BATCH * shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = params.dequantize(params.range().min() + random.nextInt(CODES));
        }
        return Batch.Floats.of(BATCH, shape, values);
    }

    private static void requireExact(
            IntGraph graph, Map<String, Batch.Floats> inputs, long schedule) {
        try (Engine reference = Engine.open("reference", graph)) {
            Plan plan = Planner.run(graph, Architecture.SM_80, BATCH);
            Batch.Codes expected = (Batch.Codes) reference.run(inputs).get("y");
            Batch.Codes found = (Batch.Codes) EmulatedPlan.run(plan, inputs, schedule).get("y");
            assertArrayEquals(expected.containers(), found.containers(), graph::toString);
        }
    }

    @Test
    void refusesMoreTensorsThanAKernelHasPointers() {
        QuantParams params = new QuantParams(1, 0, CodeRange.unsigned(8));
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("x", Shape.of(3)),
                                new Quantize("q", "x", params),
                                new Elementwise(
                                        "y",
                                        Kind.SUM,
                                        Collections.nCopies(9, "q"),
                                        Output.Codes.of(params))),
                        List.of("y"));
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Planner.run(graph, Architecture.SM_80, BATCH))
                        .getMessage();
        assertEquals(
                "node 'y' cannot run on a GPU: it combines 9 tensors, and a kernel 8; combine some"
                        + " of them before",
                message);
    }
}
