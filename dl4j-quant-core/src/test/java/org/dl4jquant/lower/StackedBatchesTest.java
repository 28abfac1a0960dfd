// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SpaceToBatchLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Layers that share their weights over stacked batches or time steps compute the same for each of
 * them.
 */
@SuppressWarnings("rawtypes") // a builder that nobody can name
class StackedBatchesTest {

    private static final int EXAMPLES = 6;
    private static final int SIDE = 8;
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static GraphBuilder graph(long seed) {
        return new NeuralNetConfiguration.Builder().seed(seed).graphBuilder();
    }

    private static ComputationGraph network(GraphBuilder builder) {
        ComputationGraph trained = new ComputationGraph(builder.build());
        trained.init();
        return trained;
    }

    private static OutputLayer scores() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static ConvolutionLayer convolution(CNN2DFormat format, Activation activation) {
        return new ConvolutionLayer.Builder(3, 2)
                .nOut(3)
                .dataFormat(format)
                .activation(activation)
                .build();
    }

    private static INDArray images(long seed, CNN2DFormat format) {
        return format == CNN2DFormat.NCHW
                ? Networks.normal(seed, EXAMPLES, 2, SIDE, SIDE)
                : Networks.normal(seed, EXAMPLES, SIDE, SIDE, 2);
    }

    @Property(tries = 6, shrinking = ShrinkingMode.OFF)
    void layersOfStackedBatchesShareTheirWeights(@ForAll long seed) {
        Random random = new Random(seed);
        CNN2DFormat format = random.nextBoolean() ? CNN2DFormat.NCHW : CNN2DFormat.NHWC;
        Activation activation = random.nextBoolean() ? Activation.RELU : Activation.TANH;
        InputType type = InputType.convolutional(SIDE, SIDE, 2, format);
        GraphVertex joint =
                random.nextBoolean()
                        ? new MergeVertex()
                        : new ElementWiseVertex(ElementWiseVertex.Op.Add);
        GraphBuilder builder =
                graph(seed)
                        .addInputs("left", "right")
                        .setInputTypes(type, type)
                        .addVertex("stack", new StackVertex(), "left", "right")
                        .addLayer("conv", convolution(format, Activation.IDENTITY), "stack")
                        .addLayer(
                                "norm",
                                new BatchNormalization.Builder().dataFormat(format).build(),
                                "conv")
                        .addLayer(
                                "pool",
                                new SubsamplingLayer.Builder(
                                                random.nextBoolean()
                                                        ? PoolingType.MAX
                                                        : PoolingType.AVG)
                                        .kernelSize(2, 2)
                                        .dataFormat(format)
                                        .build(),
                                "norm")
                        .addLayer("again", convolution(format, activation), "pool")
                        .addVertex("first", new UnstackVertex(0, 2), "again")
                        .addVertex("second", new UnstackVertex(1, 2), "again")
                        .addVertex("both", joint, "first", "second")
                        .addLayer("out", scores(), "both")
                        .setOutputs("out");
        IntGraph graph =
                EqualIntegers.of(
                        network(builder),
                        INT8,
                        new MultiDataSet(
                                new INDArray[] {
                                    images(seed, format), images(seed + 1, format).muli(3)
                                },
                                new INDArray[] {Networks.labels(EXAMPLES)}));
        List<Convolution> convolutions =
                graph.nodes().stream()
                        .filter(Convolution.class::isInstance)
                        .map(Convolution.class::cast)
                        .toList();
        assertEquals(
                List.of("conv/0", "conv/1", "again/0", "again/1"),
                convolutions.stream().map(node -> node.name().replace("/sum", "")).toList());
        assertEquals(convolutions.get(0).weights(), convolutions.get(1).weights());
    }

    private static void takeApartByTime(
            long seed, InputType type, INDArray features, GraphBuilder builder) {
        ComputationGraph trained =
                network(
                        builder.addInputs("in")
                                .setInputTypes(type)
                                .addVertex("reversed", new ReverseTimeSeriesVertex(), "join")
                                .addVertex("last", new LastTimeStepVertex("in"), "reversed")
                                .addLayer("out", scores(), "last")
                                .setOutputs("out"));
        DataSet data = new DataSet(features, Networks.labels(EXAMPLES));
        assertTrue(
                EqualIntegers.of(trained, INT8, data).nodes().stream()
                        .anyMatch(node -> node.name().equals("step/1")),
                () -> "seed " + seed);
    }

    @Property(tries = 3, shrinking = ShrinkingMode.OFF)
    void aDenseLayerComputesEachTimeStep(@ForAll long seed) {
        GraphBuilder builder =
                graph(seed)
                        .addLayer(
                                "step",
                                new DenseLayer.Builder()
                                        .nOut(5)
                                        .activation(Activation.TANH)
                                        .build(),
                                new RnnToFeedForwardPreProcessor(),
                                "in")
                        .addLayer(
                                "join",
                                new Upsampling1D.Builder(1).build(),
                                new FeedForwardToRnnPreProcessor(),
                                "step");
        takeApartByTime(
                seed, InputType.recurrent(4, 3), Networks.normal(seed, EXAMPLES, 4, 3), builder);
    }

    @Property(tries = 3, shrinking = ShrinkingMode.OFF)
    void aConvolutionComputesEachFrame(@ForAll long seed) {
        GraphBuilder builder =
                graph(seed)
                        .addLayer(
                                "step",
                                convolution(CNN2DFormat.NCHW, Activation.RELU),
                                new RnnToCnnPreProcessor(5, 4, 2),
                                "in")
                        .addLayer(
                                "join",
                                new Upsampling1D.Builder(1).build(),
                                seed % 2 == 0
                                        ? new CnnToRnnPreProcessor(3, 3, 3)
                                        : new ComposableInputPreProcessor(
                                                new CnnToFeedForwardPreProcessor(3, 3, 3),
                                                new FeedForwardToRnnPreProcessor()),
                                "step");
        takeApartByTime(
                seed, InputType.recurrent(40, 3), Networks.normal(seed, EXAMPLES, 40, 3), builder);
    }

    @Test
    void blocksAreBatchesOfPixels() {
        for (CNN2DFormat format : CNN2DFormat.values()) {
            SpaceToBatchLayer.Builder blocks =
                    new SpaceToBatchLayer.Builder(new int[] {2, 1}, new int[][] {{1, 1}, {0, 2}});
            blocks.dataFormat(format);
            GraphBuilder builder =
                    graph(3).addInputs("in")
                            .setInputTypes(InputType.convolutional(SIDE, SIDE, 2, format))
                            .addLayer("blocks", blocks.build(), "in")
                            .addLayer("conv", convolution(format, Activation.RELU), "blocks")
                            .addVertex("even", new UnstackVertex(0, 2), "conv")
                            .addVertex("odd", new UnstackVertex(1, 2), "conv")
                            .addVertex("both", new MergeVertex(), "even", "odd")
                            .addLayer("out", scores(), "both")
                            .setOutputs("out");
            DataSet data = new DataSet(images(4, format), Networks.labels(EXAMPLES));
            EqualIntegers.of(network(builder), INT8, data);
        }
    }

    private static String refusal(GraphVertex vertex, String... inputs) {
        GraphBuilder builder =
                graph(3).addInputs("in")
                        .setInputTypes(InputType.feedForward(4))
                        .addLayer("a", new DenseLayer.Builder().nOut(4).build(), "in")
                        .addVertex("it", vertex, inputs)
                        .addLayer("out", scores(), "it")
                        .setOutputs("out");
        DataSet data = new DataSet(Networks.normal(3, EXAMPLES, 4), Networks.labels(EXAMPLES));
        ComputationGraph trained = network(builder);
        ComputationGraph prepared = Quantization.prepare(trained, INT8, Networks.batches(data));
        return assertThrows(LoweringException.class, () -> Quantization.lower(prepared))
                .getMessage();
    }

    @Test
    void refusesToMixExamples() {
        assertEquals(
                "layer 'it' cannot be lowered to integers: it takes part 1 of 2, and its input is one"
                        + " batch; unstack what a StackVertex has stacked, in as many parts;"
                        + " examples of one batch do not depend on one another in an integer graph",
                refusal(new UnstackVertex(1, 2), "a"));
        assertEquals(
                "layer 'out' cannot be lowered to integers: its examples are those of several"
                        + " batches, or time steps, below one another; take the batches apart with"
                        + " an UnstackVertex, or join the time steps to sequences",
                refusal(new StackVertex(), "a", "a"));
    }
}
