// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Set;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.network.Frozen;

/** The layers inside the wrappers that belong to recurrent layers. */
final class Inside {

    private Inside() {}

    /** {@return the kind of a wrapped layer, with what freezes it or hides steps looked through} */
    static LayerKind of(Layer wrapped) {
        LayerKind kind = LayerKinds.of(wrapped);
        return kind instanceof MaskZeroKind masked
                ? of(masked.configuration().getUnderlying())
                : kind;
    }

    /** {@return whether the wrapper computes as a layer with weights: if the layer inside does} */
    static CodeFlow flow(LayerKind inside) {
        return inside.flow().hasWeights() ? CodeFlow.COMPUTES : CodeFlow.UNKNOWN;
    }

    /**
     * {@return the tensors inside a wrapped layer that can be rounded: none if it is frozen,
     * because then DL4J makes the recurrence itself}
     */
    static Set<TensorRole> innerTensors(Layer wrapped) {
        return Frozen.is(wrapped) ? Set.of() : LayerKinds.of(wrapped).innerTensors();
    }
}
