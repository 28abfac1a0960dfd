// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.dl4jquant.layer.integer.CombinationForm;
import org.dl4jquant.layer.integer.IntegerForm;
import org.dl4jquant.layer.integer.LayerTensors;
import org.dl4jquant.scheme.StrictScalars;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * The product of two tensors of codes, place by place, whose result another layer rounds: a gate of
 * a quantized network.
 *
 * <p>In training it is DL4J's own product. In inference it returns the values of the codes that an
 * engine computes from the inputs' codes, {@link org.dl4jquant.numeric.CodeOperation}, in the codes
 * of the layer after it, which then finds nothing left to round. {@code prepare} makes it; in a
 * model file it is found under this class's name.
 */
public final class QuantizedProductVertex extends QuantizedJoint {

    /**
     * Names the layers whose codes are multiplied, and the one whose codes the result has.
     *
     * @param left the layer that made the codes of the first input
     * @param right the layer that made the codes of the second input
     * @param result the layer after the product, which rounds it
     */
    public QuantizedProductVertex(
            @JsonProperty("left") @JsonDeserialize(using = StrictScalars.OfText.class) String left,
            @JsonProperty("right") @JsonDeserialize(using = StrictScalars.OfText.class)
                    String right,
            @JsonProperty("result") @JsonDeserialize(using = StrictScalars.OfText.class)
                    String result) {
        super(Op.Product, left, right, result);
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(QuantizedProductVertex.class, version);
    }

    @Override
    Op expected() {
        return Op.Product;
    }

    @Override
    IntegerForm form(LayerTensors tensors) {
        return CombinationForm.ofProduct(tensors);
    }

    @Override
    public QuantizedProductVertex clone() {
        return new QuantizedProductVertex(left(), right(), result());
    }

    @Override
    public String toString() {
        return "QuantizedProductVertex(" + left() + " * " + right() + " as " + result() + ")";
    }
}
