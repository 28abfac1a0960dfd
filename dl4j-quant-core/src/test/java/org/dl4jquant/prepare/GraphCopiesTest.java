// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.L2Vertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jquant.layer.QuantizedAddVertex;
import org.dl4jquant.network.GraphCopies;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A copy equals its original, also where DL4J's clone does not. */
class GraphCopiesTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static ComputationGraph attention() {
        AttentionVertex attention =
                new AttentionVertex.Builder()
                        .nHeads(2)
                        .nOut(4)
                        .headSize(2)
                        .projectInput(true)
                        .nInKeys(4)
                        .nInQueries(4)
                        .nInValues(4)
                        .weightInit(WeightInit.UNIFORM)
                        .build();
        ComputationGraph network =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .updater(new Adam(0.02))
                                .l2(0.01)
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.recurrent(4, 5))
                                .addLayer("recurrent", new LSTM.Builder().nOut(4).build(), "in")
                                .addVertex("attention", attention, "recurrent", "recurrent", "in")
                                .addLayer(
                                        "out",
                                        new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                                .nOut(Networks.CLASSES)
                                                .activation(Activation.SOFTMAX)
                                                .build(),
                                        "attention")
                                .setOutputs("out")
                                .build());
        network.init();
        return network;
    }

    static List<GraphVertex> vertices() {
        MergeVertex merge = new MergeVertex();
        merge.setMergeAxis(2);
        ReshapeVertex reshape = new ReshapeVertex('f', new int[] {2, 3}, new int[] {1, 2});
        return List.of(
                attention().getConfiguration().getVertices().get("attention"),
                merge,
                reshape,
                new FrozenVertex(reshape),
                new ElementWiseVertex(ElementWiseVertex.Op.Average),
                new SubsetVertex(1, 3),
                new StackVertex(),
                new UnstackVertex(1, 3),
                new ShiftVertex(3),
                new ScaleVertex(3),
                new L2Vertex(0.1),
                new L2NormalizeVertex(new int[] {1}, 0.1),
                new PoolHelperVertex(),
                new PreprocessorVertex(new CnnToFeedForwardPreProcessor(2, 3, 4)),
                new LastTimeStepVertex("in"),
                new DuplicateToTimeSeriesVertex("in"),
                new ReverseTimeSeriesVertex("in"),
                new QuantizedAddVertex("a", "b", "c"));
    }

    @ParameterizedTest
    @MethodSource("vertices")
    void aCopySaysTheSame(GraphVertex vertex) throws Exception {
        GraphVertex copy = GraphCopies.of(vertex);
        assertEquals(
                NeuralNetConfiguration.mapper().writeValueAsString(vertex),
                NeuralNetConfiguration.mapper().writeValueAsString(copy));
    }

    private static DataSet sequences() {
        INDArray labels = Nd4j.zeros(6, Networks.CLASSES, 5);
        for (int i = 0; i < 6; i++) {
            for (int t = 0; t < 5; t++) {
                labels.putScalar(new int[] {i, i % Networks.CLASSES, t}, 1);
            }
        }
        return new DataSet(Networks.data(6, 4, 5).getFeatures(), labels);
    }

    @Test
    void anAttentionVertexTrainsInAPreparedNetwork() {
        ComputationGraph network = attention();
        DataSet data = sequences();
        ComputationGraph prepared =
                Preparation.prepare(network, INT8, new SingletonDataSetIterator(data)).network();
        double score = prepared.score(data);
        for (String layer :
                List.of("attention/queries", "attention/keys", "attention/values", "attention")) {
            INDArray before = prepared.getLayer(layer).getParam("W").dup();
            prepared.fit(data);
            assertNotEquals(before, prepared.getLayer(layer).getParam("W"), layer);
        }
        assertFalse(prepared.params().isNaN().any());
        assertTrue(prepared.score(data) < score);
    }

    /** Left in float by a rule, it is a copy of the float network's, and learns as that does. */
    @Test
    void anAttentionVertexInFloatTrainsInAPreparedNetwork() {
        ComputationGraph network = attention();
        DataSet data = sequences();
        QuantSpec spec = INT8.with(LayerSelector.named("attention"), LayerScheme.FLOAT);
        ComputationGraph prepared =
                Preparation.prepare(network, spec, new SingletonDataSetIterator(data)).network();
        INDArray before = prepared.getVertex("attention").params().dup();
        assertEquals(network.getVertex("attention").params(), before);
        prepared.fit(data);
        assertNotEquals(before, prepared.getVertex("attention").params());
    }

    @Test
    void aReshapeVertexKeepsItsOrder() {
        ComputationGraph network =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .graphBuilder()
                                .addInputs("in")
                                .addLayer(
                                        "first",
                                        new DenseLayer.Builder()
                                                .nIn(6)
                                                .nOut(6)
                                                .activation(Activation.RELU)
                                                .build(),
                                        "in")
                                .addVertex(
                                        "reshaped",
                                        new ReshapeVertex('f', new int[] {-1, 3}, null),
                                        "first")
                                .addLayer(
                                        "out",
                                        new OutputLayer.Builder(LossFunction.MSE)
                                                .nIn(3)
                                                .nOut(2)
                                                .activation(Activation.IDENTITY)
                                                .build(),
                                        "reshaped")
                                .setOutputs("out")
                                .build());
        network.init();
        INDArray x = Networks.normal(1, 4, 6);
        ComputationGraph prepared =
                Preparation.prepare(
                                network,
                                INT8,
                                new SingletonDataSetIterator(new DataSet(x, Nd4j.zeros(8, 2))))
                        .network();
        INDArray expected = network.outputSingle(x);
        // 8 bits leave a few thousandths of the largest value; another order leaves nothing.
        double error = expected.sub(prepared.outputSingle(x)).amaxNumber().doubleValue();
        assertEquals(0, error, 0.05 * expected.amaxNumber().doubleValue());
        ComputationGraph exact = GraphCopies.of(network, DataType.DOUBLE);
        INDArray wide = exact.outputSingle(x.castTo(DataType.DOUBLE));
        // Rounding of float32 sums of 6 products.
        assertEquals(0, expected.sub(wide.castTo(DataType.FLOAT)).amaxNumber().doubleValue(), 1e-5);
    }
}
