// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.DataFolder;
import org.dl4jquant.examples.data.PixelRows;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.Updaters;
import org.dl4jquant.lower.LoweringOptions;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An LSTM that reads digits row by row, 28 steps of 28 pixels: it trains in float, then with
 * weights, inputs, gates, memory and hidden states rounded, and its integer graph computes the same
 * codes in Java and in ONNX Runtime, for any number of rows. Read it for recurrent networks.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.LstmSequence
 * }</pre>
 *
 * <p>It prints the loss of every 25th iteration, a table of three accuracies, and how many codes
 * differ between the engines. Its argument is a folder with MNIST's four files; without one it
 * draws digits.
 */
public final class LstmSequence {

    private static final Logger log = LoggerFactory.getLogger(LstmSequence.class);

    private static final int TRAIN_IMAGES = 2000;
    private static final int TEST_IMAGES = 500;
    private static final int SIDE = 28;
    private static final int DIGITS = 10;
    private static final int UNITS = 48;
    private static final int EPOCHS = 4;
    private static final int QUANTIZED_EPOCHS = 2;
    private static final int BATCH = 32;
    private static final long SEED = 1;

    private LstmSequence() {}

    /**
     * Runs the example.
     *
     * @param args a folder with MNIST's files; digits are drawn without it
     * @throws IOException if the folder cannot be read
     */
    public static void main(String[] args) throws IOException {
        TrainTest data =
                args.length == 0
                        ? StrokeDigits.split(SEED, TRAIN_IMAGES, TEST_IMAGES)
                        : DataFolder.load(Path.of(args[0]));
        run(data, EPOCHS, QUANTIZED_EPOCHS).requireEqual();
    }

    static EqualityReport run(TrainTest data, int epochs, int quantizedEpochs) {
        DataSetIterator train = PixelRows.of(data.train().shuffled(BATCH, SEED));
        DataSetIterator test = PixelRows.of(data.test().inOrder(BATCH));

        log.info("Train in float....");
        MultiLayerNetwork trained = new MultiLayerNetwork(reader());
        trained.init();
        trained.setListeners(new ScoreIterationListener(25));
        trained.fit(train, epochs);

        log.info("Insert quantizers....");
        MultiLayerNetwork quantized =
                Quantization.prepare(trained, QuantSpec.of(LayerScheme.INT8), train);
        double calibrated = quantized.evaluate(test).accuracy();

        log.info("Train with quantizers....");
        Updaters.replace(
                quantized, new Adam(new ExponentialSchedule(ScheduleType.EPOCH, 1e-3, 0.5)));
        quantized.fit(train, quantizedEpochs);
        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(trained.evaluate(test).accuracy()))
                        .row("8 bits, calibrated", Percent.of(calibrated))
                        .row("8 bits, trained", Percent.of(quantized.evaluate(test).accuracy()));
        log.info("{}{}", System.lineSeparator(), table);

        log.info("Lower to integers, compare two engines....");
        // One graph for any number of steps: whole digits, and their upper halves.
        IntGraph graph = Quantization.lower(quantized, LoweringOptions.DEFAULT.withFreeSteps(true));
        test.reset();
        INDArray digits = test.next().getFeatures();
        INDArray halves = digits.get(all(), all(), interval(0, SIDE / 2));
        try (Engine java = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            var inputs = List.of(EngineInputs.of(graph, digits), EngineInputs.of(graph, halves));
            EqualityReport report = EqualityCheck.between(java, onnx).over(inputs);
            log.info("{}", report);
            return report;
        }
    }

    private static MultiLayerConfiguration reader() {
        LSTM lstm =
                new LSTM.Builder()
                        .nOut(UNITS)
                        .activation(Activation.TANH)
                        .forgetGateBiasInit(1)
                        .build();
        return new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(new Adam(new ExponentialSchedule(ScheduleType.EPOCH, 5e-3, 0.7)))
                .list()
                .layer(new LastTimeStep(lstm))
                .layer(
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(DIGITS)
                                .activation(Activation.SOFTMAX)
                                .build())
                .setInputType(InputType.recurrent(SIDE, SIDE))
                .build();
    }
}
