// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.GoldenNetworks;
import org.dl4jquant.SampleNetworks;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.Step;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The words by which messages list what lowers are those of the kinds' own answers, in all sample
 * networks.
 */
class LoweringFlagsTest {

    private static final List<Object> SAMPLES = new ArrayList<>();

    @BeforeAll
    static void collect() {
        SampleNetworks.all().forEach(kind -> collect(kind.network()));
        GoldenNetworks.all().forEach(named -> collect(named.network()));
    }

    private static void collect(Model network) {
        for (Step step : NetworkView.ofModel(network).topology().steps()) {
            SAMPLES.add(step.configuration());
            Step before = step.before();
            if (before != null) {
                SAMPLES.add(before.configuration());
            }
        }
    }

    private static boolean lowers(Object configuration) {
        return LayerKinds.of(configuration).integers().refusal().isEmpty();
    }

    private static Stream<Object> samplesOf(Class<?> type) {
        return SAMPLES.stream().filter(sample -> sample.getClass() == type);
    }

    @Test
    void whatIsSaidToStayInFloatRefusesInAllSamples() {
        Set<String> wrong = new TreeSet<>();
        for (Object sample : SAMPLES) {
            if (LayerKinds.lowers(sample.getClass()) == Lowering.NONE && lowers(sample)) {
                wrong.add(sample.getClass().getSimpleName());
            }
        }
        assertEquals(Set.of(), wrong, "register these kinds with the words for what lowers");
    }

    @Test
    void whatIsSaidToLowerHasAnIntegerFormInSomeSample() {
        Set<String> wrong = new TreeSet<>();
        Set<Class<?>> sampled = SAMPLES.stream().map(Object::getClass).collect(Collectors.toSet());
        for (Class<?> type : sampled) {
            if (LayerKinds.lowers(type) != Lowering.NONE
                    && samplesOf(type).noneMatch(LoweringFlagsTest::lowers)) {
                wrong.add(type.getSimpleName());
            }
        }
        assertEquals(Set.of(), wrong, "no sample of these lowers; register them with NONE");
    }

    @Test
    void everyLayerAndVertexThatIsSaidToLowerHasASample() {
        Set<Class<?>> sampled = new HashSet<>();
        SAMPLES.forEach(sample -> sampled.add(sample.getClass()));
        Set<String> missing = new TreeSet<>();
        for (Class<?> type : LayerKinds.firstTypes()) {
            if (LayerKinds.lowers(type) != Lowering.NONE
                    && !InputPreProcessor.class.isAssignableFrom(type)
                    && !sampled.contains(type)) {
                missing.add(type.getSimpleName());
            }
        }
        assertEquals(Set.of(), missing);
    }

    @Test
    void poolsLowerByTheTypesInTheirWords() {
        Set<PoolingType> windows =
                Arrays.stream(PoolingType.values())
                        .filter(type -> lowers(new SubsamplingLayer.Builder(type).pnorm(2).build()))
                        .collect(Collectors.toSet());
        Set<PoolingType> global =
                Arrays.stream(PoolingType.values())
                        .filter(type -> lowers(new GlobalPoolingLayer(type)))
                        .collect(Collectors.toSet());
        assertEquals(windows, typesOf(LayerKinds.lowers(SubsamplingLayer.class)), "of windows");
        assertEquals(global, typesOf(LayerKinds.lowers(GlobalPoolingLayer.class)), "global");
    }

    private static Set<PoolingType> typesOf(Lowering words) {
        return switch (words) {
            case MAX_AND_AVERAGE -> Set.of(PoolingType.MAX, PoolingType.AVG);
            case MAX_AVERAGE_AND_SUM -> Set.of(PoolingType.MAX, PoolingType.AVG, PoolingType.SUM);
            default -> Set.of(PoolingType.values());
        };
    }

    @Test
    void elementWiseVerticesLowerByTheOperationsInTheirWords() {
        Set<ElementWiseVertex.Op> lowering =
                Arrays.stream(ElementWiseVertex.Op.values())
                        .filter(op -> lowers(new ElementWiseVertex(op)))
                        .collect(Collectors.toSet());
        Set<ElementWiseVertex.Op> said =
                LayerKinds.lowers(ElementWiseVertex.class) == Lowering.MOST
                        ? Set.of(ElementWiseVertex.Op.values())
                        : Set.of();
        assertEquals(said, lowering);
    }

    @Test
    void wordsNameTheClass() {
        assertEquals(
                "SubsamplingLayer (max, average)",
                Lowering.MAX_AND_AVERAGE.words(SubsamplingLayer.class));
    }
}
