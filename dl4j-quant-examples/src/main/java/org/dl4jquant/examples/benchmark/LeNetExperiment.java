// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Checks;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;

/**
 * The accuracies of a LeNet in float and in INT8, before and after training with quantization.
 *
 * @param seed decided over weights and orders
 * @param floatAccuracy of the float network, from 0 to 1
 * @param ptqAccuracy of the network with quantizers, not yet trained
 * @param qatAccuracy of the same network, trained
 * @param engines the Java reference against ONNX Runtime
 * @param simulator the quantized network against ONNX Runtime
 */
public record LeNetExperiment(
        long seed,
        double floatAccuracy,
        double ptqAccuracy,
        double qatAccuracy,
        EqualityReport engines,
        SimulatorReport simulator) {

    private static final int CALIBRATION_IMAGES = 512;

    /** Trains a float network, quantizes it, trains it on, lowers it and compares. */
    public static LeNetExperiment run(TrainTest data, int epochs, long seed) {
        Training floatTraining = new Training(data.train(), epochs, seed);
        MultiLayerNetwork trained = LeNet.create(data.train(), seed, floatTraining.floatRate());
        floatTraining.fit(trained);

        MultiLayerNetwork quantized = prepare(trained, floatTraining.forFineTuning());
        double ptqAccuracy = Accuracy.of(quantized, data.test());
        floatTraining.forFineTuning().fit(quantized);

        IntGraph graph = Quantization.lower(quantized);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            return new LeNetExperiment(
                    seed,
                    Accuracy.of(trained, data.test()),
                    ptqAccuracy,
                    Accuracy.of(quantized, data.test()),
                    Checks.engines(reference, onnxRuntime, data.test()),
                    Checks.simulator(quantized, onnxRuntime, data.test()));
        }
    }

    /** Returns the network in INT8 with quantizers, ready for the training that is to come. */
    public static MultiLayerNetwork prepare(MultiLayerNetwork trained, Training fineTuning) {
        trained.setLearningRate(fineTuning.quantizedRate(Byte.SIZE));
        // Unlike Quantization.prepare, it prints no table for each of many networks.
        return Preparation.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        fineTuning.images().first(CALIBRATION_IMAGES).inOrder(Training.BATCH))
                .network();
    }
}
