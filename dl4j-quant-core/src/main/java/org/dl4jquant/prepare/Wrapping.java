// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.dl4jquant.layer.FakeQuantLayer;
import org.dl4jquant.layer.MaxPoolingLayer;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.ResultActivation;
import org.dl4jquant.layer.YoloResultLayer;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.network.Frozen;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;

/** Makes the configurations of a prepared network's layers. */
final class Wrapping {

    private Wrapping() {}

    /**
     * {@return the configuration of a step in the prepared network, sharing nothing with the float
     * network's}
     *
     * @param step the step
     * @param original the configuration of its first member
     * @param plan the tensors that are rounded, and which functions make the network's results
     */
    static NeuralNetConfiguration configuration(
            FusedStep step, NeuralNetConfiguration original, Plan plan) {
        NeuralNetConfiguration conf = original.clone();
        LayerQuantizers quantizers = plan.wrapped().get(step.name());
        if (quantizers != null) {
            conf.setLayer(wrapped(step, original.getLayer(), quantizers));
        } else if ((step.kind().flow() == CodeFlow.PICKS)) {
            conf.setLayer(
                    Frozen.like(original.getLayer(), new MaxPoolingLayer(thawed(step).clone())));
        } else if (step.kind().makesBoxes()) {
            Yolo2OutputLayer boxes = (Yolo2OutputLayer) thawed(step).clone();
            conf.setLayer(Frozen.like(original.getLayer(), new YoloResultLayer(boxes)));
        } else if (plan.results().contains(step.name())) {
            useResultFunction(Frozen.inside(conf.getLayer()));
        }
        conf.getLayer().setLayerName(step.name());
        return fresh(conf);
    }

    /**
     * {@return the configuration of a layer that only rounds}
     *
     * @param name the layer's name
     * @param defaults where all other settings come from
     * @param scheme how it rounds
     */
    static NeuralNetConfiguration rounding(
            String name, NeuralNetConfiguration defaults, ActivationScheme scheme) {
        NeuralNetConfiguration conf = defaults.clone();
        conf.setLayer(FakeQuantLayer.of(name, scheme));
        conf.getLayer().setLayerName(name);
        return fresh(conf);
    }

    /** {@return whether a step that makes results gets another activation function} */
    static boolean replacesFunction(FusedStep step) {
        return ResultActivation.replaces(Objects.requireNonNull(step.kind().lastFunction()));
    }

    private static void useResultFunction(Layer layer) {
        LayerKind kind = LayerKinds.of(layer);
        kind.setLastFunction(ResultActivation.of(Objects.requireNonNull(kind.lastFunction())));
    }

    private static NeuralNetConfiguration fresh(NeuralNetConfiguration conf) {
        conf.clearVariables();
        conf.setIterationCount(0);
        conf.setEpochCount(0);
        return conf;
    }

    private static Layer wrapped(FusedStep step, Layer original, LayerQuantizers quantizers) {
        BatchNormalization alone = step.kind().normalization();
        BatchNormalization normalization = alone == null ? step.normalization() : alone;
        IActivation activation = step.activation();
        // A batch normalization that no layer takes in gets one that does nothing else.
        Layer inner =
                alone == null
                        ? thawed(step).clone()
                        : new ActivationLayer.Builder()
                                .activation(new ActivationIdentity())
                                .build();
        // The name by which other layers know its codes.
        inner.setLayerName(step.name());
        return Frozen.like(
                original,
                new QuantizedLayer(
                        inner,
                        normalization == null ? null : normalization.clone(),
                        activation,
                        quantizers));
    }

    private static Layer thawed(FusedStep step) {
        return Objects.requireNonNull(step.thawed());
    }
}
