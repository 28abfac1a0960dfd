// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.datasets.iterator.utilty.SingletonMultiDataSetIterator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.train.Distillation;
import org.dl4jquant.train.DistillationListener;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Features, labels and masks of another data type than the network's are the same as if they had
 * been cast to it first, bit for bit, as in DL4J.
 */
class FeatureTypesTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static final List<DataType> TYPES =
            List.of(
                    DataType.DOUBLE,
                    DataType.UINT8,
                    DataType.BOOL,
                    DataType.FLOAT16,
                    DataType.INT32,
                    DataType.INT64,
                    DataType.BFLOAT16,
                    DataType.INT16,
                    DataType.INT8,
                    DataType.UINT16,
                    DataType.UINT32,
                    DataType.UINT64);

    /** A prepared network of either kind. */
    private record Network(MultiLayerNetwork chain, ComputationGraph graph) {

        INDArray output(INDArray features, INDArray mask) {
            return chain == null
                    ? graph.output(
                                    false,
                                    new INDArray[] {features},
                                    mask == null ? null : new INDArray[] {mask},
                                    null)[0]
                    : chain.output(features, false, mask, null);
        }

        /** The parameters of a copy after a training step, and the step's loss. */
        List<Object> fitted(DataSet data) {
            if (chain == null) {
                ComputationGraph copy = copyOf(graph);
                copy.fit(data);
                return List.of(copy.params(), copy.score(), copy.score(data));
            }
            MultiLayerNetwork copy = chain.clone();
            copy.fit(data);
            return List.of(copy.params(), copy.score(), copy.score(data));
        }

        INDArray params() {
            return chain == null ? graph.params() : chain.params();
        }
    }

    /**
     * DL4J's own clone loses the updaters of an attention vertex; a configuration's JSON does not.
     */
    private static ComputationGraph copyOf(ComputationGraph graph) {
        ComputationGraph copy =
                new ComputationGraph(
                        ComputationGraphConfiguration.fromJson(graph.getConfiguration().toJson()));
        copy.init(graph.params().dup(), false);
        return copy;
    }

    private static Network prepared(SampleNetworks.Kind kind, boolean asChain, DataSet data) {
        return asChain
                ? new Network(
                        Preparation.prepare(
                                        chain(kind.network()),
                                        INT8,
                                        new SingletonDataSetIterator(data))
                                .network(),
                        null)
                : new Network(
                        null,
                        Preparation.prepare(
                                        kind.network(), INT8, new SingletonDataSetIterator(data))
                                .network());
    }

    private static boolean isChain(ComputationGraph graph) {
        return graph.getConfiguration().getVertices().values().stream()
                .allMatch(LayerVertex.class::isInstance);
    }

    private static MultiLayerNetwork chain(ComputationGraph graph) {
        List<NeuralNetConfiguration> layers = new ArrayList<>();
        Map<Integer, InputPreProcessor> preprocessors = new HashMap<>();
        for (int index : graph.topologicalSortOrder()) {
            GraphVertex vertex =
                    graph.getConfiguration()
                            .getVertices()
                            .get(graph.getVertices()[index].getVertexName());
            if (vertex instanceof LayerVertex layer) {
                if (layer.getPreProcessor() != null) {
                    preprocessors.put(layers.size(), layer.getPreProcessor());
                }
                layers.add(layer.getLayerConf().clone());
            }
        }
        MultiLayerConfiguration conf =
                new MultiLayerConfiguration.Builder()
                        .dataType(DataType.FLOAT)
                        .confs(layers)
                        .inputPreProcessors(preprocessors)
                        .build();
        conf.setTrainingWorkspaceMode(WorkspaceMode.ENABLED);
        conf.setInferenceWorkspaceMode(WorkspaceMode.ENABLED);
        MultiLayerNetwork chain = new MultiLayerNetwork(conf);
        chain.init();
        chain.setParams(graph.params());
        return chain;
    }

    /** Features that no type needs to wrap: not negative, the indices as they are. */
    private static INDArray features(SampleNetworks.Kind kind) {
        INDArray features = kind.data().getFeatures();
        return kind.name().startsWith("embedding") ? features : Transforms.abs(features.mul(3));
    }

    /** Each kind with one type that all have, and one that goes round. */
    private static List<DataType> someOf(int kind) {
        return List.of(DataType.DOUBLE, TYPES.get(1 + kind % (TYPES.size() - 1)));
    }

    private static void compare(List<SampleNetworks.Kind> kinds, boolean allTypes) {
        for (int i = 0; i < kinds.size(); i++) {
            SampleNetworks.Kind kind = kinds.get(i);
            List<DataType> types = allTypes ? TYPES : someOf(i);
            compare(kind, false, types);
            if (isChain(kind.network())) {
                compare(kind, true, types);
            }
        }
    }

    private static void compare(SampleNetworks.Kind kind, boolean asChain, List<DataType> types) {
        DataSet plain = new DataSet(features(kind), kind.data().getLabels());
        Network network = prepared(kind, asChain, plain);
        for (DataType type : types) {
            String what = kind.name() + (asChain ? " in a chain, " : ", ") + type;
            DataSet typed =
                    new DataSet(plain.getFeatures().castTo(type), plain.getLabels().castTo(type));
            DataSet cast =
                    new DataSet(
                            typed.getFeatures().castTo(DataType.FLOAT),
                            typed.getLabels().castTo(DataType.FLOAT));
            assertEquals(
                    network.output(cast.getFeatures(), null),
                    network.output(typed.getFeatures(), null),
                    what);
            assertEquals(network.fitted(cast), network.fitted(typed), what);
            assertEquals(
                    prepared(kind, asChain, cast).params(),
                    prepared(kind, asChain, typed).params(),
                    what);
        }
    }

    @Test
    void featuresAndLabelsAreCastAsInDl4j() {
        compare(SampleNetworks.all(), false);
    }

    @Test
    @Tag("thorough")
    void featuresAndLabelsOfEveryTypeAreCastAsInDl4j() {
        compare(SampleNetworks.all(), true);
    }

    /** 1 for the first steps of each example, 0 for the others; no example without a step. */
    private static INDArray mask(long examples, long steps) {
        INDArray mask = Nd4j.zeros(examples, steps);
        for (long i = 0; i < examples; i++) {
            for (long t = 0; t <= i % steps; t++) {
                mask.putScalar(i, t, 1);
            }
        }
        return mask;
    }

    /* DL4J does not follow the mask through layers that change the number of steps. */
    private static boolean takesMasks(SampleNetworks.Kind kind) {
        INDArray x = features(kind);
        try {
            new Network(null, kind.network()).output(x, mask(x.size(0), x.size(2)));
            return true;
        } catch (IllegalArgumentException | IllegalStateException e) {
            return false;
        }
    }

    private static void compareMasks(boolean allTypes) {
        List<SampleNetworks.Kind> sequences =
                SampleNetworks.all().stream()
                        .filter(kind -> kind.data().getFeatures().rank() == 3)
                        .filter(FeatureTypesTest::takesMasks)
                        .toList();
        assertEquals(15, sequences.size());
        for (int i = 0; i < sequences.size(); i++) {
            SampleNetworks.Kind kind = sequences.get(i);
            INDArray x = features(kind);
            INDArray labels = kind.data().getLabels();
            INDArray mask = mask(x.size(0), x.size(2));
            INDArray ofLabels = labels.rank() == 3 ? mask : null;
            for (boolean asChain : new boolean[] {false, true}) {
                DataSet plain = new DataSet(x, labels, mask, ofLabels);
                Network network = prepared(kind, asChain, plain);
                List<Object> fitted = network.fitted(plain);
                INDArray output = network.output(x, mask);
                for (DataType type : allTypes ? TYPES : someOf(i)) {
                    String what = kind.name() + (asChain ? " in a chain, " : ", ") + type;
                    INDArray typed = mask.castTo(type);
                    DataSet data =
                            new DataSet(x, labels, typed, ofLabels == null ? null : typed.dup());
                    assertEquals(output, network.output(x, typed), what);
                    assertEquals(fitted, network.fitted(data), what);
                    assertEquals(network.params(), prepared(kind, asChain, data).params(), what);
                }
            }
        }
    }

    @Test
    void masksAreCast() {
        compareMasks(false);
    }

    @Test
    @Tag("thorough")
    void masksOfEveryTypeAreCast() {
        compareMasks(true);
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerNetwork dense() {
        return Networks.of(
                InputType.feedForward(6),
                new DenseLayer.Builder().name("dense").nOut(8).activation(Activation.RELU).build(),
                output());
    }

    @ParameterizedTest
    @EnumSource(names = {"DOUBLE", "INT", "UBYTE", "HALF"})
    void sumsAndConcatenationsOfInputsOfTwoTypesAreExact(DataType type) {
        ComputationGraph network =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .graphBuilder()
                                .addInputs("left", "right")
                                .setInputTypes(InputType.feedForward(6), InputType.feedForward(6))
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "left",
                                        "right")
                                .addVertex("both", new MergeVertex(), "sum", "right")
                                .addLayer(
                                        "dense",
                                        new DenseLayer.Builder()
                                                .nOut(8)
                                                .activation(Activation.RELU)
                                                .build(),
                                        "both")
                                .addLayer("out", output(), "dense")
                                .setOutputs("out")
                                .build());
        network.init();
        INDArray left = Transforms.abs(Networks.normal(1, 12, 6).muli(3)).castTo(type);
        INDArray right = Networks.normal(2, 12, 6);
        INDArray cast = left.castTo(DataType.FLOAT);
        INDArray labels = Networks.labels(12);
        ComputationGraph prepared =
                Preparation.prepare(
                                network,
                                INT8,
                                new SingletonMultiDataSetIterator(
                                        new MultiDataSet(
                                                new INDArray[] {left, right},
                                                new INDArray[] {labels})))
                        .network();
        assertEquals(prepared.output(cast, right)[0], prepared.output(left, right)[0]);
        ComputationGraph other = prepared.clone();
        prepared.fit(new INDArray[] {cast, right}, new INDArray[] {labels});
        other.fit(new INDArray[] {left, right}, new INDArray[] {labels.castTo(type)});
        assertEquals(prepared.params(), other.params());
        try (Engine engine = Engine.open("reference", Quantization.lower(prepared))) {
            SimulatorReport report = SimulatorCheck.between(prepared, engine).over(left, right);
            assertTrue(report.codes() > 0);
            assertEquals(0, report.differingCodes());
            assertEquals(
                    engine.run(EngineInputs.of(engine.graph(), cast, right)).toString(),
                    engine.run(EngineInputs.of(engine.graph(), left, right)).toString());
        }
    }

    @Test
    void aNetworkOfFloat64ReadsFloat32() {
        MultiLayerNetwork network = dense().convertDataType(DataType.DOUBLE);
        DataSet data = Networks.data(12, 6);
        INDArray wide = data.getFeatures().castTo(DataType.DOUBLE);
        MultiLayerNetwork prepared =
                Preparation.prepare(network, INT8, new SingletonDataSetIterator(data)).network();
        assertEquals(prepared.output(wide), prepared.output(data.getFeatures()));
        MultiLayerNetwork other = prepared.clone();
        prepared.fit(new DataSet(wide, data.getLabels()));
        other.fit(data);
        assertEquals(prepared.params(), other.params());
    }

    @Test
    void aStudentAndItsTeacherReadFeaturesOfAnyType() {
        MultiLayerNetwork teacher = dense();
        DataSet data = Networks.data(12, 6);
        INDArray typed = data.getFeatures().mul(4).castTo(DataType.INT32);
        MultiLayerNetwork student =
                Preparation.prepare(teacher, INT8, new SingletonDataSetIterator(data)).network();
        MultiLayerNetwork other = student.clone();
        distil(teacher, student, new DataSet(typed, data.getLabels().castTo(DataType.INT64)));
        distil(teacher, other, new DataSet(typed.castTo(DataType.FLOAT), data.getLabels()));
        assertEquals(other.params(), student.params());
    }

    private static void distil(MultiLayerNetwork teacher, MultiLayerNetwork student, DataSet data) {
        try (DistillationListener listener =
                Distillation.from(teacher)
                        .withSoftLabels(2, 0.5)
                        .withValues("dense", "dense", 0.1)
                        .cachedInMemory(20)
                        .attach(student)) {
            student.fit(data);
            student.fit(data);
            assertTrue(Double.isFinite(student.score()), listener::toString);
        }
    }

    /** Beyond 2^24 float32 has no odd numbers. */
    @Test
    @Tag("thorough")
    void indicesKeepTheirType() {
        int rows = (1 << 24) + 4;
        int index = (1 << 24) + 1;
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(rows),
                        new EmbeddingLayer.Builder().nIn(rows).nOut(1).build(),
                        output());
        network.getLayer(0).getParam("W").putScalar(index, 0, 3);
        INDArray x = Nd4j.createFromArray(new int[][] {{index}, {0}});
        MultiLayerNetwork prepared =
                Preparation.prepare(
                                network,
                                INT8,
                                new SingletonDataSetIterator(new DataSet(x, Networks.labels(2))))
                        .network();
        List<INDArray> results = prepared.feedForward(x);
        assertEquals(
                3, results.get(1).getFloat(0), prepared.getLayer(0).getParam("scaleW").getFloat(0));
    }
}
