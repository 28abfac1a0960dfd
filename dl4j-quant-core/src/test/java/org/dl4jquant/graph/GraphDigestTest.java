// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;

/** The digest of a graph: one for equal graphs, another for each other. */
final class GraphDigestTest {

    private static final int GRAPHS = 400;

    private static final QuantParams UINT8 = new QuantParams(0.5f, 0, CodeRange.unsigned(8));

    /** The digest by Python's hashlib of the bytes, written down by its struct. */
    @Test
    void isTheHashOfAllBytes() {
        IntGraph graph =
                IntGraph.of(
                        List.of(new Input("x", Shape.of(2)), new Quantize("q", "x", UINT8)),
                        List.of("q"));
        assertEquals(
                "986ffcc168d43001ecff00250edc7a20491de2c18f2ee6be7e211cdb9f936ba7", graph.sha256());
    }

    /** As above. */
    @Test
    void isTheHashOfAllIndicesOfAMove() {
        IndexMap map =
                IndexMap.select(Shape.of(2), 0, AxisIndices.of(AxisIndices.ZERO, 1))
                        .reshaped(Shape.of(2, 1));
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("x", Shape.of(2)),
                                new Quantize("q", "x", UINT8),
                                new Move("m", "q", map)),
                        List.of("m"));
        assertEquals(
                "3f69048e261f54e02c5afc45e8e3d0adb28f892f6dd493568a4d957788d16af7", graph.sha256());
    }

    /* The digests of 400 graphs in which every node, function and option occurs. They are in engine
     * files, so they stay what they are. Written down when nodes' names became part of the format;
     * until then they were the classes' names, with the same result. */
    @Test
    void digestsStayWhatTheyAre() {
        StringBuilder all = new StringBuilder();
        for (long seed = 0; seed < GRAPHS; seed++) {
            all.append(RandomGraph.ofFirstVersion(seed).graph().sha256());
        }
        assertEquals(
                "91c57990955d6aab1e5745811d064bebc2aefa9159354e1d33b06c55d5e7a1b3",
                HexFormat.of().formatHex(Checksum.sha256().digest(all.toString().getBytes(UTF_8))));
    }

    @Test
    void graphsHaveOneDigestIfTheyAreEqual() {
        Map<IntGraph, String> digests = new HashMap<>();
        for (long seed = 0; seed < GRAPHS; seed++) {
            IntGraph graph = RandomGraph.of(seed).graph();
            digests.put(graph, graph.sha256());
            assertEquals(
                    graph.sha256(),
                    IntGraph.of(graph.nodes(), graph.outputs(), graph.functions()).sha256());
            // Last functions are part of the graph.
            assertEquals(
                    graph.functions().isEmpty(), graph.sha256().equals(graph.scores().sha256()));
            assertEquals(graph.functions().isEmpty(), graph.equals(graph.scores()));
        }
        assertEquals(digests.size(), digests.values().stream().distinct().count());
    }

    private static IntGraph dense(String name, byte code, float scale, int bias, int bound) {
        WeightTensor weights =
                WeightTensor.of(
                        Shape.of(1, 2),
                        CodeRange.narrow(8),
                        new byte[] {1, code},
                        new float[] {scale},
                        new int[] {bias});
        Output output = new Output.Codes(SmallGraphs.uint8(1), new CodeRange(0, bound));
        return IntGraph.of(
                List.of(
                        new Input("x", Shape.of(2)),
                        new Quantize("q", "x", UINT8),
                        new Dense(name, "q", weights, output)),
                List.of(name));
    }

    @Test
    void changesWithEveryNumberAndName() {
        List<IntGraph> graphs = new ArrayList<>();
        graphs.add(dense("y", (byte) 2, 1, 3, 255));
        graphs.add(dense("z", (byte) 2, 1, 3, 255));
        graphs.add(dense("y", (byte) -2, 1, 3, 255));
        graphs.add(dense("y", (byte) 2, Math.nextUp(1f), 3, 255));
        graphs.add(dense("y", (byte) 2, 1, 4, 255));
        graphs.add(dense("y", (byte) 2, 1, 3, 254));
        graphs.add(IntGraph.of(graphs.get(0).nodes(), List.of("y", "q")));
        graphs.add(IntGraph.of(graphs.get(0).nodes(), List.of("q", "y")));
        assertEquals(
                graphs.size(),
                graphs.stream().map(IntGraph::sha256).distinct().count(),
                "" + graphs);
    }
}
