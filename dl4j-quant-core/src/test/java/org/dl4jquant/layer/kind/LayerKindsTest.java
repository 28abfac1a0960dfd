// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;

class LayerKindsTest {

    /** They have no kind of their own: what is inside has. */
    private static final Set<Class<?>> LOOKED_THROUGH =
            Set.of(
                    FrozenLayer.class,
                    FrozenLayerWithBackprop.class,
                    FrozenVertex.class,
                    LayerVertex.class);

    private static Stream<Class<?>> classesOfDl4j() {
        return new ClassFileImporter()
                        .importPackages(
                                "org.deeplearning4j.nn.conf", "org.deeplearning4j.preprocessors")
                        .stream()
                        .<Class<?>>map(type -> type.reflect())
                        .filter(LayerKindsTest::isConfiguration);
    }

    private static boolean isConfiguration(Class<?> type) {
        boolean step =
                Layer.class.isAssignableFrom(type)
                        || GraphVertex.class.isAssignableFrom(type)
                        || InputPreProcessor.class.isAssignableFrom(type);
        return step
                && !Modifier.isAbstract(type.getModifiers())
                && type.getEnclosingClass() == null
                && !LOOKED_THROUGH.contains(type);
    }

    @Test
    void everyLayerVertexAndPreprocessorOfDl4jIsKnown() {
        assertEquals(
                names(classesOfDl4j()), names(LayerKinds.types().stream()), "DL4J's, and ours");
    }

    private static Set<String> names(Stream<Class<?>> types) {
        return types.map(Class::getName).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void aClassHasOneKind() {
        Registry kinds = new Registry().add(DenseKind::new, List.of(DenseLayer.class));
        IllegalStateException refused =
                assertThrows(
                        IllegalStateException.class,
                        () -> kinds.add(UnknownKind::new, List.of(DenseLayer.class)));
        assertEquals(
                DenseLayer.class.getName() + " has two kinds; a class has one",
                refused.getMessage());
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().nIn(3).nOut(4).build();
    }

    private static LSTM lstm() {
        return new LSTM.Builder().nIn(3).nOut(4).build();
    }

    @Test
    void frozenLayersAreWhatIsInside() {
        LayerKind frozen = LayerKinds.of(new FrozenLayer(new FrozenLayerWithBackprop(dense())));
        assertEquals(DenseKind.class, frozen.getClass());
    }

    @Test
    void aSubclassIsUnknownAndNamesItsKnownParent() {
        ActivationLayer stranger = new ActivationLayer(Activation.TANH) {};
        assertEquals(CodeFlow.UNKNOWN, LayerKinds.of(stranger).flow());
        assertEquals(ActivationLayer.class, LayerKinds.knownParent(stranger));
        assertNull(LayerKinds.knownParent(dense()));
    }

    @Test
    void wrappersHaveTheLayoutOfTheLayerInside() {
        PReLULayer slopes = new PReLULayer.Builder().inputShape(4).build();
        assertEquals(WeightLayout.UNKNOWN, LayerKinds.of(slopes).weight("W"));
        assertEquals(WeightLayout.UNKNOWN, LayerKinds.of(new TimeDistributed(slopes)).weight("W"));
        assertEquals(WeightLayout.MATRIX, LayerKinds.of(new TimeDistributed(dense())).weight("W"));
        assertEquals(WeightLayout.MATRIX, LayerKinds.of(new Bidirectional(lstm())).weight("bRW"));
    }

    @Test
    void aGainOfALayerNormalizationIsNoWeight() {
        SimpleRnn normalized = new SimpleRnn.Builder().nIn(3).nOut(4).hasLayerNorm(true).build();
        assertNull(LayerKinds.of(normalized).weight("g"));
        assertNull(LayerKinds.of(new Bidirectional(normalized)).weight("fg"));
        assertEquals(Set.of(), LayerKinds.of(normalized).innerTensors());
    }

    @Test
    void theStateIsRoundedWhereTheLoopOverTimeIsOurs() {
        assertEquals(
                Set.of(TensorRole.HIDDEN), LayerKinds.of(new LastTimeStep(lstm())).innerTensors());
        assertEquals(
                Set.of(TensorRole.HIDDEN, TensorRole.HIDDEN_BACKWARD),
                LayerKinds.of(new LastTimeStep(new Bidirectional(lstm()))).innerTensors());
        LayerKind frozenInside = LayerKinds.of(new LastTimeStep(new FrozenLayer(lstm())));
        assertEquals(CodeFlow.COMPUTES, frozenInside.flow());
        assertEquals(Set.of(), frozenInside.innerTensors());
        LayerKind masked = LayerKinds.of(new LastTimeStep(new MaskZeroLayer(lstm(), 0)));
        assertEquals(CodeFlow.COMPUTES, masked.flow());
        assertEquals(Set.of(), masked.innerTensors());
    }

    @Test
    void volumesHaveTheirChannelsWhereTheirOwnFormatSays() {
        Deconvolution3D.Builder builder = new Deconvolution3D.Builder().kernelSize(2, 2, 2);
        assertEquals(
                4,
                LayerKinds.of(builder.dataFormat(Convolution3D.DataFormat.NDHWC).nOut(2).build())
                        .channelAxis());
        assertEquals(
                1,
                LayerKinds.of(builder.dataFormat(Convolution3D.DataFormat.NCDHW).nOut(2).build())
                        .channelAxis());
    }
}
