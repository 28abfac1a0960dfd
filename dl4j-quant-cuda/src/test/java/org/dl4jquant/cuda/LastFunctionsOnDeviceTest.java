// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.ElementwiseFunction.Fixed;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engine files carry the last functions, and devices' results have them applied. */
class LastFunctionsOnDeviceTest {

    private static final Shape MAPS = Shape.of(3, 2, 2);
    private static final int EXAMPLES = 4;

    private static final Map<String, List<OutputFunction>> FUNCTIONS =
            Map.of(
                    "values",
                    List.of(new OutputFunction.Softmax(0)),
                    "relu",
                    List.of(
                            new OutputFunction.Pointwise(Fixed.TANH),
                            new OutputFunction.Slope(0, 0.1f)));

    private static final IntGraph GRAPH = graph(FUNCTIONS);

    @TempDir private Path folder;

    private static IntGraph graph(Map<String, List<OutputFunction>> functions) {
        IntGraph.Builder graph = IntGraph.builder();
        graph.add(new Input("x", MAPS));
        graph.add(new Quantize("q", "x", new QuantParams(0.05f, 2, CodeRange.signed(8))));
        graph.add(new Dequantize("values", "q"));
        graph.add(
                new Rectify(
                        "relu", "values", new OutputFunction.Clamp(0, Float.POSITIVE_INFINITY)));
        return graph.build(List.of("values", "relu"), functions);
    }

    private static EngineFile engine(IntGraph graph) {
        return EmulatedDriver.engine(graph, Architecture.SM_80);
    }

    private static CudaEngine open(IntGraph graph, EngineFile file) {
        return CudaEngine.open(graph, file, new EmulatedDriver(80));
    }

    @Test
    void aFileThatWasWrittenAndReadAppliesThem() throws IOException {
        Path path = folder.resolve("model.engine");
        engine(GRAPH).write(path);
        EngineFile file = EngineFile.read(path);
        assertEquals(FUNCTIONS, file.functions());
        Map<String, Batch.Floats> inputs = Networks.inputs(GRAPH, EXAMPLES);
        try (CudaEngine cuda = open(GRAPH, file);
                Engine reference = Engine.open("reference", GRAPH)) {
            EqualityCheck.between(reference, cuda).over(inputs).requireEqual();
            Batch.Floats values = (Batch.Floats) cuda.run(inputs).get("values");
            float sum = values.values()[0] + values.values()[4] + values.values()[8];
            assertEquals(1, sum, 1e-6f, "three float32 roundings of the classes of a pixel");
        }
    }

    @Test
    void refusesTheEngineOfTheSameNodesWithOtherFunctions() {
        EngineFile scores = engine(GRAPH.scores());
        String message =
                assertThrows(IllegalArgumentException.class, () -> open(GRAPH, scores))
                        .getMessage();
        assertTrue(message.startsWith("the engine is another graph's"), message);
    }

    @Test
    void aGoldenRunFindsAFunctionThatIsMissing() throws IOException {
        Map<String, Batch.Floats> inputs = Networks.inputs(GRAPH, EXAMPLES);
        GoldenRun golden;
        try (Engine reference = Engine.open("reference", GRAPH)) {
            golden = GoldenRun.of(reference, inputs);
        }
        Path path = folder.resolve("model.golden");
        golden.write(path);
        GoldenRun read = GoldenRun.read(path);
        EngineFile right = engine(GRAPH);
        EngineFile wrong =
                new EngineFile(
                        right.compiler(),
                        right.graph(),
                        Map.of("values", List.of(new OutputFunction.Softmax(1))),
                        right.programs());
        try (EngineOnDevice good = EngineOnDevice.open(right, new EmulatedDriver(80), 0, 8);
                EngineOnDevice bad = EngineOnDevice.open(wrong, new EmulatedDriver(80), 0, 8)) {
            assertEquals(Optional.empty(), read.firstDifference(good));
            assertEquals(Optional.of("'values', run"), read.firstDifference(bad));
        }
    }

    @Test
    void refusesAFunctionOfWhatIsNoFloat32Output() {
        EngineFile file = engine(GRAPH);
        assertEquals(
                "the last function [Softmax[axis=0]] is of 'q', which is no output in the program"
                        + " for sm_80",
                refusal(file, Map.of("q", List.of(new OutputFunction.Softmax(0)))));
        assertTrue(
                refusal(file, Map.of("values", List.of(new OutputFunction.Softmax(3))))
                        .startsWith(
                                "the last function [Softmax[axis=3]] is of 'values', which is"));
    }

    private static String refusal(EngineFile file, Map<String, List<OutputFunction>> functions) {
        return assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                new EngineFile(
                                        file.compiler(), file.graph(), functions, file.programs()))
                .getMessage();
    }

    @Test
    void theNetworksInputIsNotChanged() {
        Map<String, Batch.Floats> inputs = Networks.inputs(GRAPH, EXAMPLES);
        float[] before = inputs.get("x").values().clone();
        try (CudaEngine cuda = open(GRAPH, engine(GRAPH))) {
            cuda.run(inputs);
            cuda.trace(inputs);
        }
        assertArrayEquals(before, inputs.get("x").values());
    }
}
