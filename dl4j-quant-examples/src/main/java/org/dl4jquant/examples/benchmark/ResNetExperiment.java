// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Checks;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.report.SimulatorReport;

/**
 * The accuracies of one variant of a quantized ResNet, and the comparisons of its engines.
 *
 * @param ptqAccuracy after calibration, before training
 * @param qatAccuracy after training with quantization
 * @param engines the Java reference against ONNX Runtime
 * @param simulator the quantized network against ONNX Runtime
 */
public record ResNetExperiment(
        double ptqAccuracy, double qatAccuracy, EqualityReport engines, SimulatorReport simulator) {

    private static final int CALIBRATION_IMAGES = 512;

    /**
     * {@return the result of a variant}
     *
     * @param trained the float network, which stays as it is
     * @param variant how it is quantized and trained
     * @param fineTuning how long it is trained then
     * @param data training and test images
     */
    public static ResNetExperiment run(
            ComputationGraph trained, Variant variant, Training fineTuning, TrainTest data) {
        ComputationGraph quantized = prepare(trained, variant, fineTuning);
        double ptqAccuracy = Accuracy.of(quantized, data.test());
        variant.recipe().fit(quantized, trained, fineTuning);
        IntGraph graph = Quantization.lower(quantized);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            return new ResNetExperiment(
                    ptqAccuracy,
                    Accuracy.of(quantized, data.test()),
                    Checks.engines(reference, onnxRuntime, data.test()),
                    Checks.simulator(quantized, onnxRuntime, data.test()));
        }
    }

    /** Returns the network with quantizers, ready for the training that is to come. */
    public static ComputationGraph prepare(
            ComputationGraph trained, Variant variant, Training fineTuning) {
        ComputationGraph ready = trained.clone();
        ready.setLearningRate(fineTuning.rate(Variant.rate(variant.bits())));
        // Unlike Quantization.prepare, it prints no table for each of many networks.
        return Preparation.prepare(
                        ready,
                        variant.spec(),
                        fineTuning.images().first(CALIBRATION_IMAGES).inOrder(Training.BATCH))
                .network();
    }
}
