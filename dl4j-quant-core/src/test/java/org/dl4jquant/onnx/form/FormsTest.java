// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.engine.RandomSequences;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;
import org.junit.jupiter.api.Test;

/** Every node has a form, and every form reads what it writes. */
class FormsTest {

    private static final int GRAPHS = 100;

    private static Set<Class<?>> nodes(Class<?> sealed) {
        Set<Class<?>> nodes = new HashSet<>();
        for (Class<?> permitted : sealed.getPermittedSubclasses()) {
            nodes.addAll(permitted.isInterface() ? nodes(permitted) : Set.of(permitted));
        }
        return nodes;
    }

    private static List<IntGraph> graphs() {
        return LongStream.range(0, GRAPHS)
                .boxed()
                .flatMap(
                        seed ->
                                Stream.of(
                                        RandomGraph.of(seed).graph(),
                                        RandomSequences.of(seed).graph()))
                .toList();
    }

    @Test
    void haveOneFormForEachKindOfNode() {
        assertEquals(
                nodes(IntNode.class),
                Forms.all().stream().map(NodeForm::node).collect(Collectors.toSet()));
        assertEquals(nodes(IntNode.class).size(), Forms.all().size());
    }

    @Test
    void understandTheOperatorsThatTheyWrite() {
        Set<String> written = new TreeSet<>();
        for (IntGraph random : graphs()) {
            Message graph = Forms.write(random, false, new TreeMap<>());
            graph.get(GraphProto.NODE).forEach(node -> written.add(node.get(NodeProto.OP_TYPE)));
        }
        assertTrue(Forms.operators().containsAll(written), written.toString());
        assertTrue(written.size() >= 15, written.toString());
    }

    @Test
    void readEveryNodeThatTheyWrite() {
        Set<Class<?>> seen = new HashSet<>();
        for (IntGraph graph : graphs()) {
            graph.nodes().forEach(node -> seen.add(node.getClass()));
            Map<String, String> metadata = new TreeMap<>();
            Message written = Forms.write(graph, true, metadata);
            FormReading read = Forms.read(written, metadata, 0);
            assertEquals(graph, read.graph());
            assertEquals(0, read.deviations().size(), read.deviations().toString());
        }
        assertEquals(nodes(IntNode.class), seen);
    }
}
