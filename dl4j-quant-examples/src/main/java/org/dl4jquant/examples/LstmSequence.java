// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.dl4jquant.Quantization;
import org.dl4jquant.examples.data.MarkedSums;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.layer.Updaters;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bidirectional LSTM whose weights, inputs and hidden states are rounded to 4 bits in every time
 * step: it trains in float on the adding problem, then with quantizers. Read it for recurrent
 * networks.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.LstmSequence
 * }</pre>
 *
 * <p>It prints the loss of every 125th iteration and a table of three accuracies: in float,
 * calibrated, and trained with quantizers.
 */
public final class LstmSequence {

    private static final Logger log = LoggerFactory.getLogger(LstmSequence.class);

    private static final int SEQUENCES = 4000;
    private static final int STEPS = 20;
    private static final int UNITS = 16;
    private static final int EPOCHS = 12;
    private static final int QUANTIZED_EPOCHS = 6;
    private static final int BATCH = 32;
    private static final long SEED = 1;

    private LstmSequence() {}

    /**
     * Runs the example.
     *
     * @param args none
     */
    public static void main(String[] args) {
        run(
                MarkedSums.draw(SEED, SEQUENCES, STEPS, BATCH),
                MarkedSums.draw(SEED + 1, SEQUENCES / 2, STEPS, BATCH),
                EPOCHS,
                QUANTIZED_EPOCHS);
    }

    static TextTable run(
            MarkedSums trainData, MarkedSums testData, int epochs, int quantizedEpochs) {
        DataSetIterator train = trainData.inOrder();
        DataSetIterator test = testData.inOrder();

        log.info("Build the network....");
        LSTM lstm =
                new LSTM.Builder()
                        .nOut(UNITS)
                        .activation(Activation.TANH)
                        .forgetGateBiasInit(1)
                        .build();
        MultiLayerConfiguration configuration =
                new NeuralNetConfiguration.Builder()
                        .seed(SEED)
                        .updater(new Adam(new ExponentialSchedule(ScheduleType.EPOCH, 1e-2, 0.7)))
                        .list()
                        .layer(new Bidirectional(lstm))
                        .layer(new GlobalPoolingLayer(PoolingType.MAX))
                        .layer(
                                new OutputLayer.Builder(LossFunction.MCXENT)
                                        .nOut(MarkedSums.CLASSES)
                                        .activation(Activation.SOFTMAX)
                                        .build())
                        .setInputType(InputType.recurrent(MarkedSums.CHANNELS, STEPS))
                        .build();

        log.info("Train in float....");
        MultiLayerNetwork trained = new MultiLayerNetwork(configuration);
        trained.init();
        trained.setListeners(new ScoreIterationListener(125));
        trained.fit(train, epochs);

        log.info("Insert quantizers of 4 bits....");
        MultiLayerNetwork quantized =
                Quantization.prepare(trained, QuantSpec.of(LayerScheme.INT4), train);
        double calibrated = quantized.evaluate(test).accuracy();

        log.info("Train with quantizers....");
        Updaters.replace(
                quantized, new Adam(new ExponentialSchedule(ScheduleType.EPOCH, 3e-3, 0.5)));
        quantized.setListeners(new ScoreIterationListener(125));
        quantized.fit(train, quantizedEpochs);

        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(trained.evaluate(test).accuracy()))
                        .row("4 bits, calibrated", Percent.of(calibrated))
                        .row("4 bits, trained", Percent.of(quantized.evaluate(test).accuracy()));
        log.info("{}{}", System.lineSeparator(), table);
        return table;
    }
}
