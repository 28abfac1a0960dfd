// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.junit.jupiter.api.Test;

class StepTest {

    private static final DenseLayer DENSE = new DenseLayer.Builder().nIn(2).nOut(3).build();
    private static final CnnToFeedForwardPreProcessor FLATTEN =
            new CnnToFeedForwardPreProcessor(2, 2, 1);

    @Test
    void looksThroughEveryWrapperThatFreezesALayer() {
        Step step =
                Step.of(
                        "a",
                        new FrozenLayerWithBackprop(new FrozenLayer(DENSE)),
                        List.of("in"),
                        FLATTEN);

        assertSame(DENSE, step.layer());
        assertNull(step.vertex());
        assertTrue(step.frozen());
        assertEquals("DenseLayer", step.type());
    }

    @Test
    void looksThroughTheVertexOfALayer() {
        NeuralNetConfiguration conf = new NeuralNetConfiguration();
        conf.setLayer(DENSE);
        Step plain = Step.of("a", new LayerVertex(conf, FLATTEN), List.of("in"));
        Step frozen = Step.of("a", new FrozenVertex(new LayerVertex(conf, null)), List.of("in"));

        assertSame(DENSE, plain.layer());
        assertSame(FLATTEN, plain.preprocessor());
        assertFalse(plain.frozen());
        assertSame(DENSE, frozen.layer());
        assertTrue(frozen.frozen());
    }

    @Test
    void looksThroughAFrozenVertex() {
        ElementWiseVertex sum = new ElementWiseVertex(ElementWiseVertex.Op.Add);
        Step step = Step.of("sum", new FrozenVertex(sum), List.of("a", "b"));

        assertSame(sum, step.vertex());
        assertNull(step.layer());
        assertTrue(step.frozen());
    }

    @Test
    void aPreprocessorIsAStepOfItsOwn() {
        Step before = Step.of("a", DENSE, List.of("in"), FLATTEN).before();

        assertEquals(Step.of("a", FLATTEN, "in"), before);
        assertNull(Step.of("a", DENSE, List.of("in"), null).before());
    }

    @Test
    void namesTheClassOfAnAnonymousVertex() {
        Step step = Step.of("a", new ElementWiseVertex(ElementWiseVertex.Op.Add) {}, List.of());

        assertEquals("StepTest$1", step.type());
    }

    @Test
    void refusesWrappersAndStrangers() {
        String frozen = refusal(new FrozenLayer(DENSE));
        String text = refusal("text");

        assertTrue(frozen.contains("step 'a' is a org.deeplearning4j"), frozen);
        assertTrue(frozen.contains("without the wrappers"), frozen);
        assertTrue(text.contains("java.lang.String"), text);
    }

    private static String refusal(Object configuration) {
        return assertThrows(
                        IllegalArgumentException.class,
                        () -> new Step("a", configuration, true, List.of(), null))
                .getMessage();
    }
}
