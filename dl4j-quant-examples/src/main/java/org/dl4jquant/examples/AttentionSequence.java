// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.MarkedSums;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A transformer's encoder block in integers: self-attention with two heads, sums, and dense layers
 * of each step, on the adding problem. It trains in float, then with quantizers, and its integer
 * graph computes the same codes in Java and in ONNX Runtime. Read it for networks with attention.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.AttentionSequence
 * }</pre>
 *
 * <p>It prints the loss of every 125th iteration, a table of three accuracies, and how many codes
 * differ between the engines.
 */
public final class AttentionSequence {

    private static final Logger log = LoggerFactory.getLogger(AttentionSequence.class);

    private static final int SEQUENCES = 4000;
    private static final int STEPS = 20;
    private static final int UNITS = 16;
    private static final int HEADS = 2;
    private static final int EPOCHS = 12;
    private static final int BATCH = 32;
    private static final double FINE_RATE = 3e-4; // at that of float, a few sequences are lost
    private static final long SEED = 1;

    private AttentionSequence() {}

    /**
     * Runs the example.
     *
     * @param args none
     */
    public static void main(String[] args) {
        MarkedSums train = MarkedSums.draw(SEED, SEQUENCES, STEPS, BATCH);
        MarkedSums test = MarkedSums.draw(SEED + 1, SEQUENCES / 2, STEPS, BATCH);
        run(train, test, STEPS, EPOCHS);
    }

    static EqualityReport run(MarkedSums trainData, MarkedSums testData, int steps, int epochs) {
        DataSetIterator train = trainData.inOrder();
        DataSetIterator test = testData.inOrder();

        log.info("Train in float....");
        ComputationGraph trained = new ComputationGraph(encoder(steps));
        trained.init();
        trained.setListeners(new ScoreIterationListener(125));
        trained.fit(train, epochs);

        log.info("Insert quantizers....");
        trained.setLearningRate(FINE_RATE);
        ComputationGraph quantized =
                Quantization.prepare(trained, QuantSpec.of(LayerScheme.INT8), train);
        double calibrated = quantized.evaluate(test).accuracy();

        log.info("Train with quantizers....");
        quantized.setListeners(new ScoreIterationListener(125));
        quantized.fit(train, 1);
        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(trained.evaluate(test).accuracy()))
                        .row("8 bits, calibrated", Percent.of(calibrated))
                        .row("8 bits, trained", Percent.of(quantized.evaluate(test).accuracy()));
        log.info("{}{}", System.lineSeparator(), table);

        log.info("Compare integers....");
        IntGraph graph = Quantization.lower(quantized);
        test.reset();
        try (Engine java = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            EqualityReport report =
                    EqualityCheck.between(java, onnx)
                            .over(EngineInputs.of(graph, test.next().getFeatures()));
            log.info("{}", report);
            return report;
        }
    }

    private static ComputationGraphConfiguration encoder(int steps) {
        return new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(new Adam(3e-3))
                .graphBuilder()
                .addInputs("steps")
                .setInputTypes(InputType.recurrent(MarkedSums.CHANNELS, steps))
                .addLayer("embedding", dense(UNITS, Activation.IDENTITY), "steps")
                .addLayer(
                        "attention",
                        new SelfAttentionLayer.Builder()
                                .nOut(UNITS)
                                .nHeads(HEADS)
                                .projectInput(true)
                                .build(),
                        "embedding")
                .addVertex("attended", sum(), "embedding", "attention")
                .addLayer("wide", dense(2 * UNITS, Activation.GELU), "attended")
                .addLayer("narrow", dense(UNITS, Activation.IDENTITY), "wide")
                .addVertex("encoded", sum(), "attended", "narrow")
                .addVertex("last", new LastTimeStepVertex("steps"), "encoded")
                .addLayer(
                        "class",
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(MarkedSums.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        "last")
                .setOutputs("class")
                .build();
    }

    /* The same dense layer for every step. */
    private static Layer dense(int units, Activation function) {
        return new Convolution1DLayer.Builder(1).nOut(units).activation(function).build();
    }

    private static ElementWiseVertex sum() {
        return new ElementWiseVertex(ElementWiseVertex.Op.Add);
    }
}
