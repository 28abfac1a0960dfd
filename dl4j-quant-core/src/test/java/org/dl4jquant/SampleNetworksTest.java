// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Every class of DL4J's layers and vertices is in a sample network, or is named with the reason.
 */
class SampleNetworksTest {

    private static final String PACKAGES =
            "org/deeplearning4j/nn/conf/(layers|graph)/[^$]*\\.class";

    private static final Map<String, String> WITHOUT_A_SAMPLE =
            Map.of(
                    "Convolution1D", "another name of Convolution1DLayer",
                    "Convolution2D", "another name of ConvolutionLayer",
                    "Pooling1D", "another name of Subsampling1DLayer",
                    "Pooling2D", "another name of SubsamplingLayer",
                    "MaskLayer", "it only applies the mask, and stays in float",
                    "LearnedSelfAttentionLayer",
                            "DL4J cannot compute it: its scatter_update fails");

    /** When this fails, a newer DL4J computes the layer, and it can have a sample and a form. */
    @Test
    void dl4jItselfCannotComputeLearnedSelfAttention() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .list()
                                .layer(
                                        new LearnedSelfAttentionLayer.Builder()
                                                .nOut(4)
                                                .nHeads(2)
                                                .nQueries(3)
                                                .projectInput(true)
                                                .build())
                                .layer(SampleNetworks.sequenceOutput())
                                .setInputType(SampleNetworks.SEQUENCE)
                                .build());
        network.init();
        RuntimeException failure =
                assertThrows(
                        RuntimeException.class,
                        () -> network.output(Nd4j.randn(2, 4, SampleNetworks.TIMES)));
        assertTrue(failure.getMessage().contains("scatter_update"), failure.getMessage());
    }

    @Test
    void everyKindOfLayerHasASample() throws Exception {
        Set<Class<?>> sampled = new HashSet<>();
        SampleNetworks.all().forEach(kind -> addTypes(kind.network(), sampled));
        GoldenNetworks.all().forEach(named -> addTypes(named.network(), sampled));
        Set<String> missing =
                types().filter(type -> !sampled.contains(type))
                        .map(Class::getSimpleName)
                        .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(new TreeSet<>(WITHOUT_A_SAMPLE.keySet()), missing);
    }

    @Test
    void namesOfSamplesAreUnique() {
        long names =
                SampleNetworks.all().stream().map(SampleNetworks.Kind::name).distinct().count();
        assertEquals(SampleNetworks.all().size(), names);
    }

    /* The layers and vertices that a configuration can hold. */
    private static Stream<Class<?>> types() throws IOException, URISyntaxException {
        Path jar = Path.of(Layer.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (JarFile file = new JarFile(jar.toFile())) {
            Set<Class<?>> types =
                    file.stream()
                            .map(entry -> entry.getName())
                            .filter(name -> name.matches(PACKAGES))
                            .map(SampleNetworksTest::type)
                            .filter(type -> !Modifier.isAbstract(type.getModifiers()))
                            .filter(
                                    type ->
                                            Layer.class.isAssignableFrom(type)
                                                    || GraphVertex.class.isAssignableFrom(type))
                            .collect(Collectors.toSet());
            assertTrue(types.contains(LayerVertex.class));
            return types.stream();
        }
    }

    private static Class<?> type(String file) {
        try {
            return Class.forName(file.replace(".class", "").replace('/', '.'));
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void addTypes(Model network, Set<Class<?>> types) {
        if (network instanceof ComputationGraph graph) {
            graph.getConfiguration().getVertices().values().forEach(v -> addTypes(v, types));
        } else {
            ((MultiLayerNetwork) network)
                    .getLayerWiseConfigurations()
                    .getConfs()
                    .forEach(conf -> addTypes(conf.getLayer(), types));
        }
    }

    private static void addTypes(GraphVertex vertex, Set<Class<?>> types) {
        types.add(vertex.getClass());
        if (vertex instanceof LayerVertex layer) {
            addTypes(layer.getLayerConf().getLayer(), types);
        } else if (vertex instanceof FrozenVertex frozen) {
            addTypes(frozen.getUnderlying(), types);
        }
    }

    private static void addTypes(Layer layer, Set<Class<?>> types) {
        types.add(layer.getClass());
        if (layer instanceof BaseWrapperLayer wrapper) {
            addTypes(wrapper.getUnderlying(), types);
        } else if (layer instanceof FrozenLayer frozen) {
            addTypes(frozen.getLayer(), types);
        } else if (layer instanceof Bidirectional both) {
            addTypes(both.getFwd(), types);
        }
    }
}
