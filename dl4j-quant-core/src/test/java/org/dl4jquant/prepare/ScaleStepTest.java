// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** A learning rate that is too high for the scales does not destroy the network at once. */
class ScaleStepTest {

    private static final int ITERATIONS = 40;

    /* A quarter of itself down, and a few roundings. */
    private static final float LONGEST = (1 + 0x1p-20f) / 0.75f;

    private static List<IUpdater> updaters() {
        return List.of(
                new Sgd(0.01),
                new Sgd(0.1),
                new Sgd(1),
                new Nesterovs(0.01, 0.9),
                new Nesterovs(0.1, 0.9),
                new Adam(0.01));
    }

    private static MultiLayerNetwork quantized(IUpdater updater) {
        MultiLayerNetwork network =
                Networks.of(
                        updater,
                        InputType.feedForward(6),
                        new DenseLayer.Builder()
                                .name("first")
                                .nOut(12)
                                .activation(Activation.RELU)
                                .build(),
                        new DenseLayer.Builder()
                                .name("second")
                                .nOut(8)
                                .activation(Activation.TANH)
                                .build(),
                        new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                                .name("last")
                                .nOut(Networks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        return Preparation.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(Networks.data(24, 6)))
                .network();
    }

    /** Notes how far each activation's scale goes in one iteration. */
    private static final class Steps extends BaseTrainingListener {
        private final Map<String, Float> before = new HashMap<>();
        private float longest = 1;

        @Override
        public void iterationDone(Model model, int iteration, int epoch) {
            model.paramTable()
                    .forEach(
                            (name, values) -> {
                                if (isActivationScale(name)) {
                                    float now = values.getFloat(0);
                                    float from = before.getOrDefault(name, now);
                                    longest = Math.max(longest, Math.max(now / from, from / now));
                                    before.put(name, now);
                                }
                            });
        }

        private static boolean isActivationScale(String name) {
            return name.endsWith(TensorRole.INPUT.scaleKey())
                    || name.endsWith(TensorRole.PRE_ACTIVATION.scaleKey())
                    || name.endsWith(TensorRole.OUTPUT.scaleKey());
        }
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void noScaleMovesByMoreThanAQuarterOfItself(IUpdater updater) {
        MultiLayerNetwork network = quantized(updater);
        DataSet data = Networks.data(24, 6);
        double first = network.score(data);
        Steps steps = new Steps();
        network.addListeners(steps);
        for (int i = 0; i < ITERATIONS; i++) {
            network.fit(data);
        }

        assertTrue(steps.before.size() >= 3, steps.before.toString());
        assertTrue(steps.longest <= LONGEST, "longest step " + steps.longest);
        double last = network.score(data);
        assertTrue(last < first, first + " -> " + last);
    }
}
