// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.util.concurrent.Callable;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.data.MarkedSums;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.examples.support.Progress;
import org.dl4jquant.layer.Updaters;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * An LSTM whose weights, inputs and hidden state are rounded in every step: it trains one in float
 * on the adding problem, then with 8 bits and with 4, and prints what rounding costs before and
 * after training.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.LstmSequence \
 *     -Dexec.args="--bidirectional"
 * }</pre>
 *
 * <p>It returns 0, or 2 if an option is wrong.
 */
@CommandLine.Command(
        name = "lstm-sequence",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains an LSTM on long sequences, in float and with rounded hidden state.")
public final class LstmSequence implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(LstmSequence.class);

    private static final int BATCH = 32;
    private static final double FLOAT_RATE = 1e-2;
    private static final double QUANTIZED_RATE = 3e-3;

    /* What a learning rate falls to, by its first value. */
    private static final double LAST_RATE = 0.02;

    @CommandLine.Option(
            names = "--bidirectional",
            description = "read the sequences in both directions")
    private boolean bidirectional;

    @CommandLine.Option(
            names = "--train",
            paramLabel = "N",
            defaultValue = "4000",
            description = "train with N sequences (default: ${DEFAULT-VALUE})")
    private int train;

    @CommandLine.Option(
            names = "--test",
            paramLabel = "N",
            defaultValue = "2000",
            description = "test with N other sequences (default: ${DEFAULT-VALUE})")
    private int test;

    @CommandLine.Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "20",
            description = "the length of each sequence (default: ${DEFAULT-VALUE})")
    private int steps;

    @CommandLine.Option(
            names = "--units",
            paramLabel = "N",
            defaultValue = "16",
            description = "the LSTM's units in each direction (default: ${DEFAULT-VALUE})")
    private int units;

    @CommandLine.Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "12",
            description =
                    "epochs in float; half of them with quantizers (default: ${DEFAULT-VALUE})")
    private int epochs;

    @CommandLine.Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "decides over weights and sequences (default: ${DEFAULT-VALUE})")
    private long seed;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the example and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new LstmSequence(), args));
    }

    @Override
    public Integer call() {
        validate();
        MarkedSums training = MarkedSums.draw(2 * seed, train, steps, BATCH);
        MarkedSums testing = MarkedSums.draw(2 * seed + 1, test, steps, Accuracy.BATCH);

        log.info("Train in float....");
        MultiLayerNetwork trained = new MultiLayerNetwork(network(training));
        trained.init();
        fit(trained, training, epochs);
        double inFloat = accuracy(trained, testing);

        TextTable table =
                TextTable.of("", "float", "calibrated", "trained")
                        .row(row("W8A8", LayerScheme.INT8, trained, inFloat, training, testing))
                        .row(row("W4A4", LayerScheme.INT4, trained, inFloat, training, testing));
        log.info("{}{}", System.lineSeparator(), table);
        return CommandLines.OK;
    }

    private void validate() {
        CommandLines.require(command, "--train", train, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--test", test, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--steps", steps, 2, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--units", units, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--epochs", epochs, 1, CommandLines.NO_LIMIT);
    }

    private MultiLayerConfiguration network(MarkedSums data) {
        LSTM lstm =
                new LSTM.Builder()
                        .name("lstm")
                        .nOut(units)
                        .activation(Activation.TANH)
                        .forgetGateBiasInit(1)
                        .build();
        NeuralNetConfiguration.ListBuilder layers =
                new NeuralNetConfiguration.Builder()
                        .seed(seed)
                        .updater(new Adam(falling(FLOAT_RATE, epochs * data.batches())))
                        .list();
        if (bidirectional) {
            // Each direction has seen everything at its own end: the largest values of all steps.
            Bidirectional both = new Bidirectional(lstm);
            both.setLayerName("lstm");
            layers.layer(both).layer(new GlobalPoolingLayer(PoolingType.MAX));
        } else {
            layers.layer(new LastTimeStep(lstm));
        }
        return layers.layer(
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .name("output")
                                .nOut(MarkedSums.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build())
                .setInputType(InputType.recurrent(MarkedSums.CHANNELS, steps))
                .build();
    }

    private static ISchedule falling(double first, int iterations) {
        return new ExponentialSchedule(
                ScheduleType.ITERATION, first, StrictMath.pow(LAST_RATE, 1.0 / iterations));
    }

    private static void fit(MultiLayerNetwork network, MarkedSums data, int epochs) {
        Progress progress = new Progress(epochs, data.batches());
        network.addListeners(progress);
        network.fit(data.inOrder(), epochs);
        network.setListeners();
    }

    private static double accuracy(MultiLayerNetwork network, MarkedSums data) {
        return network.evaluate(data.inOrder()).accuracy();
    }

    private String[] row(
            String name,
            LayerScheme scheme,
            MultiLayerNetwork trained,
            double inFloat,
            MarkedSums training,
            MarkedSums testing) {
        log.info("Train with {}....", name);
        int fewer = (epochs + 1) / 2;
        MultiLayerNetwork quantized =
                Quantization.prepare(trained, QuantSpec.of(scheme), training.inOrder());
        Updaters.replace(quantized, new Adam(falling(QUANTIZED_RATE, fewer * training.batches())));
        double calibrated = accuracy(quantized, testing);
        fit(quantized, training, fewer);
        return new String[] {
            name,
            Percent.of(inFloat),
            Percent.of(calibrated),
            Percent.of(accuracy(quantized, testing))
        };
    }
}
