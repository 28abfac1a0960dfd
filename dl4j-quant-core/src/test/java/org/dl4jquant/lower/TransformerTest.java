// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** An encoder block from token to class: embedding, attention, sums, and dense layers of steps. */
class TransformerTest {

    private static final int BLOCKS = 8;
    private static final int EXAMPLES = 6;
    private static final int CLASSES = 3;

    private static ComputationGraph encoder(
            Random random, int words, int steps, boolean normalizes) {
        int heads = 1 + random.nextInt(3);
        int width = heads * (2 + random.nextInt(5));
        ComputationGraphConfiguration.GraphBuilder builder =
                new NeuralNetConfiguration.Builder()
                        .seed(random.nextInt())
                        .graphBuilder()
                        .addInputs("tokens");
        builder.addLayer(
                "embedding",
                new EmbeddingSequenceLayer.Builder()
                        .nIn(words)
                        .nOut(width)
                        .inputLength(steps)
                        .build(),
                "tokens");
        builder.addLayer(
                "attention",
                new SelfAttentionLayer.Builder()
                        .nIn(width)
                        .nOut(width)
                        .nHeads(heads)
                        .projectInput(true)
                        .build(),
                "embedding");
        builder.addVertex(
                "attended",
                new ElementWiseVertex(ElementWiseVertex.Op.Add),
                "embedding",
                "attention");
        String wide = normalizes ? addNormalization(builder, width) : "attended";
        builder.addLayer("wide", dense(width, 2 * width, Activation.GELU), wide);
        builder.addLayer("narrow", dense(2 * width, width, Activation.IDENTITY), "wide");
        builder.addVertex(
                "encoded", new ElementWiseVertex(ElementWiseVertex.Op.Add), "attended", "narrow");
        builder.addVertex("last", new LastTimeStepVertex("tokens"), "encoded");
        builder.addLayer(
                "class",
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(width)
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build(),
                "last");
        ComputationGraph network = new ComputationGraph(builder.setOutputs("class").build());
        network.init();
        return network;
    }

    /* DL4J has layer normalization in dense layers, which read one step of a sequence at a time. */
    private static String addNormalization(
            ComputationGraphConfiguration.GraphBuilder builder, int width) {
        builder.addLayer(
                "normalized",
                new DenseLayer.Builder()
                        .nIn(width)
                        .nOut(width)
                        .hasLayerNorm(true)
                        .activation(Activation.IDENTITY)
                        .build(),
                new RnnToFeedForwardPreProcessor(),
                "attended");
        builder.addVertex(
                "steps", new PreprocessorVertex(new FeedForwardToRnnPreProcessor()), "normalized");
        return "steps";
    }

    private static Layer dense(int in, int out, Activation function) {
        return new Convolution1DLayer.Builder(1).nIn(in).nOut(out).activation(function).build();
    }

    private static INDArray tokens(Random random, int words, int steps) {
        INDArray tokens = Nd4j.zeros(EXAMPLES, steps);
        for (int i = 0; i < EXAMPLES * steps; i++) {
            tokens.putScalar(i, random.nextInt(words));
        }
        return tokens.putScalar(0, 1);
    }

    @Test
    void networkReferenceAndRuntimeEncodeAlike() {
        long codes = 0;
        for (int seed = 0; seed < BLOCKS; seed++) {
            Random random = new Random(seed);
            int words = 3 + random.nextInt(20);
            int steps = 2 + random.nextInt(10);
            ComputationGraph network = encoder(random, words, steps, seed % 2 == 1);
            INDArray tokens = tokens(random, words, steps);
            INDArray labels = Nd4j.zeros(EXAMPLES, CLASSES);
            for (int i = 0; i < EXAMPLES; i++) {
                labels.putScalar(i, random.nextInt(CLASSES), 1);
            }
            DataSet data = new DataSet(tokens, labels);
            ComputationGraph quantized =
                    Quantization.prepare(
                            network,
                            QuantSpec.of(LayerScheme.INT8),
                            new SingletonDataSetIterator(data));
            quantized.fit(data);
            IntGraph graph = Quantization.lower(quantized);
            String which = "seed " + seed + ": " + graph.nodes();
            try (Engine reference = Engine.open("reference", graph);
                    Engine onnx = Engine.open("onnxruntime", graph)) {
                SimulatorCheck simulator = SimulatorCheck.between(quantized, reference);
                assertEquals(0, simulator.over(tokens).differingCodes(), which);
                EqualityReport report =
                        EqualityCheck.between(reference, onnx).over(EngineInputs.of(graph, tokens));
                assertTrue(report.equal(), () -> which + ": " + report);
                codes += report.codesCompared();
            }
        }
        assertTrue(codes > 10_000, codes + " codes compared");
    }
}
