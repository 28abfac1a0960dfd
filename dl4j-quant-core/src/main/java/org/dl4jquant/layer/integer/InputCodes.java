// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Objects;
import org.dl4jquant.graph.node.Quantize;

/** The codes that a layer's arithmetic reads: those that arrive, or its own of a network input. */
final class InputCodes {

    private InputCodes() {}

    /**
     * {@return the input, rounded if the layer rounds it itself}
     *
     * @param graph takes the node
     * @param tensors the layer's
     * @param input the incoming values
     */
    static Signal arriving(NodeEmitter graph, LayerTensors tensors, Signal input) {
        if (!tensors.roundsInput()) {
            return input;
        }
        if (input instanceof Signal.Unrounded) {
            // Refuses it by name.
            graph.codes(input);
        }
        if (!(input instanceof Signal.Values values)) {
            throw new IllegalStateException(
                    "layer '" + graph.step() + "' rounds its input, which is rounded already");
        }
        String node = graph.valuesToRound(values, tensors.inputShape());
        return new Signal.Codes(
                graph.add(
                        new Quantize(
                                graph.inner("quantize"),
                                node,
                                Objects.requireNonNull(tensors.input(0)))));
    }
}
