// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.cli;

import java.util.Locale;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.support.InferenceTasks;
import org.dl4jquant.report.Figures;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.report.TextTable;

/**
 * The results of the quickstart.
 *
 * @param options the options of the run
 * @param accuracy the share of correctly classified test images
 * @param bytes how large the models are
 * @param latency how long inference takes
 * @param engines the Java reference against ONNX Runtime
 * @param simulator the quantized network against ONNX Runtime
 */
record QuickstartResult(
        QuickstartOptions options,
        Accuracies accuracy,
        Sizes bytes,
        Latencies latency,
        EqualityReport engines,
        SimulatorReport simulator) {

    private static final double PERCENT = 100;

    /**
     * Accuracies, from 0 to 1.
     *
     * @param floats of the float network
     * @param ptq of the network with quantizers before it is trained: post-training quantization
     * @param qat of the same network trained
     * @param engine of ONNX Runtime with its integers
     */
    record Accuracies(double floats, double ptq, double qat, double engine) {}

    /**
     * Bytes that hold a model's numbers.
     *
     * @param floats the float network's parameters in DL4J's model file, uncompressed
     * @param integer the ONNX file
     */
    record Sizes(long floats, long integer) {}

    /**
     * Medians in milliseconds.
     *
     * @param floatOne DL4J in float, one image
     * @param integerOne ONNX Runtime with integers, one image
     * @param floatBatch DL4J in float, a batch of images
     * @param integerBatch ONNX Runtime with integers, a batch of images
     */
    record Latencies(double floatOne, double integerOne, double floatBatch, double integerBatch) {}

    /** The table for the console. */
    String table() {
        String post = "post-training " + format();
        String aware = "trained " + format();
        String milliseconds = "batch of " + InferenceTasks.BATCH + ", ms";
        return TextTable.of("", "DL4J float", post, aware)
                        .row(
                                "accuracy on " + simulator.examples() + " test images",
                                percent(accuracy.floats()),
                                percent(accuracy.ptq()),
                                percent(accuracy.qat()))
                        .row("model, bytes", count(bytes.floats()), "", count(bytes.integer()))
                        .row(
                                "one image, ms",
                                millis(latency.floatOne()),
                                "",
                                millis(latency.integerOne()))
                        .row(
                                milliseconds,
                                millis(latency.floatBatch()),
                                "",
                                millis(latency.integerBatch()))
                + comparisons();
    }

    private String comparisons() {
        return String.format(
                Locale.ROOT,
                "%n%nJava reference and ONNX Runtime: %,d of %,d codes differ.%n"
                        + "Quantized network and ONNX Runtime: %,d of %,d codes differ, and the"
                        + " class of %,d of %,d images.",
                engines.differingCodes(),
                engines.codesCompared(),
                simulator.differingCodes(),
                simulator.codes(),
                simulator.top1Changed(),
                simulator.examples());
    }

    private String format() {
        return "INT" + options.bits();
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", PERCENT * share);
    }

    private static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private static String millis(double number) {
        return String.format(Locale.ROOT, "%.3f", number);
    }

    /** The same for programs; the class comment of {@link Quickstart} lists the keys. */
    Figures figures() {
        return new Figures()
                .with("accuracy.float", accuracy.floats())
                .with("accuracy.ptq", accuracy.ptq())
                .with("accuracy.qat", accuracy.qat())
                .with("accuracy.engine", accuracy.engine())
                .with("bytes.float", bytes.floats())
                .with("bytes.integer", bytes.integer())
                .with("latency.one.floatMillis", latency.floatOne())
                .with("latency.one.integerMillis", latency.integerOne())
                .with("latency.batch32.floatMillis", latency.floatBatch())
                .with("latency.batch32.integerMillis", latency.integerBatch())
                .with("engines.differingCodes", engines.differingCodes())
                .with("engines.codes", engines.codesCompared())
                .with("simulator.differingCodes", simulator.differingCodes())
                .with("simulator.codes", simulator.codes())
                .with("simulator.top1Changed", simulator.top1Changed())
                .with("simulator.examples", simulator.examples())
                .with("options.seed", options.seed())
                .with("options.epochs", options.epochs())
                .with("options.bits", options.bits());
    }
}
