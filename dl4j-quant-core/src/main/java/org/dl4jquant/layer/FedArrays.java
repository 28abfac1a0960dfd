// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Casts features and masks to the network's data type: DL4J accepts any type and each of its layers
 * casts what it reads, so a quantized layer does, too.
 */
final class FedArrays {

    private FedArrays() {}

    /**
     * {@return a layer's input in the network's type; indices as they are, because float32 does not
     * hold each of them}
     *
     * @param layer the layer
     * @param input its input, of any numeric type
     * @param type the network's data type
     */
    static INDArray input(QuantizedLayer layer, INDArray input, DataType type) {
        Layer underlying = layer.getUnderlying();
        boolean indices = LayerKinds.of(underlying).flow() == CodeFlow.READS_INDICES;
        return indices ? input : cast(input, type);
    }

    /**
     * {@return a mask in the network's type}
     *
     * @param mask of any numeric type or BOOL; null without one
     * @param type the network's data type
     */
    static @Nullable INDArray mask(@Nullable INDArray mask, DataType type) {
        return mask == null ? null : cast(mask, type);
    }

    /* Outside of all workspaces: the one that is open here may end before the layer has computed. */
    private static INDArray cast(INDArray array, DataType type) {
        return array.dataType() == type ? array : Detached.compute(() -> array.castTo(type));
    }
}
