// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;

class FusionTest {

    private static final QuantParams CODES = SmallGraphs.int8(0.5);

    private static IntNode convolution(String name, String input) {
        return new Convolution(
                name,
                input,
                SmallGraphs.weights(Shape.of(2, 2, 1, 1), 1, 2, 3, 4),
                Window.of(Window.Extent.ONE, Window.Extent.ONE),
                1,
                Output.Codes.of(CODES));
    }

    private static IntNode sum(String name, String left, String right) {
        return new Add(name, left, right, Output.Codes.of(CODES));
    }

    private static List<String> results(IntNode... nodes) {
        return Fusion.of(SmallGraphs.graph(Shape.of(2, 3, 3), CODES, nodes)).stream()
                .map(
                        work ->
                                work.sum() == null
                                        ? work.node().name()
                                        : work.node().name() + "+" + work.sum().name())
                .toList();
    }

    @Test
    void aSumIsComputedWithTheConvolutionThatFeedsIt() {
        assertEquals(
                List.of("q", "a", "b+s"),
                results(convolution("a", "q"), convolution("b", "a"), sum("s", "b", "q")));
    }

    @Test
    void ofTwoConvolutionsTheLaterOneTakesTheSum() {
        assertEquals(
                List.of("q", "a", "b+s"),
                results(convolution("a", "q"), convolution("b", "q"), sum("s", "a", "b")));
        assertEquals(
                List.of("q", "b", "a+s"),
                results(convolution("b", "q"), convolution("a", "q"), sum("s", "a", "b")));
    }

    @Test
    void ofTwoConvolutionsTheOneWithoutSiblingsTakesTheSum() {
        assertEquals(
                List.of("q", "a", "p", "c+s"),
                results(
                        convolution("a", "q"),
                        convolution("c", "a"),
                        convolution("p", "q"),
                        sum("s", "p", "c")));
    }

    @Test
    void aConvolutionThatIsReadTwiceStaysAlone() {
        assertEquals(
                List.of("q", "a", "b", "s", "t"),
                results(
                        convolution("a", "q"),
                        convolution("b", "a"),
                        sum("s", "b", "b"),
                        sum("t", "s", "a")));
    }

    @Property(tries = 300)
    void everyNodeIsComputedOnceBehindWhatItReads(@ForAll long seed) {
        IntGraph graph = RandomGraph.without(GpuSupport.refusedKinds(), seed).graph();
        Set<String> ready = new HashSet<>();
        graph.inputs().forEach(input -> ready.add(input.name()));
        Set<String> done = new HashSet<>(ready);
        for (Work work : Fusion.of(graph)) {
            assertTrue(ready.containsAll(work.reads()), () -> work + " reads what is not ready");
            assertTrue(done.add(work.node().name()));
            assertTrue(work.sum() == null || done.add(work.sum().name()));
            ready.addAll(work.results());
        }
        Set<String> all = new HashSet<>();
        graph.nodes().forEach(node -> all.add(node.name()));
        assertEquals(all, done);
        assertTrue(ready.containsAll(graph.outputs()));
        assertEquals(graph.nodes().size() - graph.inputs().size(), Fusion.none(graph).size());
    }
}
