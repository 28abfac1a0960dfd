// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.dl4jquant.layer.integer.IntegerForm;
import org.dl4jquant.layer.integer.LayerTensors;
import org.dl4jquant.layer.integer.SumForm;
import org.dl4jquant.scheme.StrictScalars;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * The sum of two tensors of codes, whose result another layer rounds: a residual connection of a
 * quantized network.
 *
 * <p>In training it is DL4J's own addition. In inference it returns the values of the codes that an
 * engine computes from the inputs' codes, {@link org.dl4jquant.numeric.CodeSum}, in the codes of
 * the layer after it, which then finds nothing left to round. {@code prepare} makes it; in a model
 * file it is found under this class's name.
 */
public final class QuantizedAddVertex extends QuantizedJoint {

    /**
     * Names the layers whose codes are added, and the one whose codes the result has.
     *
     * @param left the layer that made the codes of the first input
     * @param right the layer that made the codes of the second input
     * @param result the layer after the sum, which rounds it
     */
    public QuantizedAddVertex(
            @JsonProperty("left") @JsonDeserialize(using = StrictScalars.OfText.class) String left,
            @JsonProperty("right") @JsonDeserialize(using = StrictScalars.OfText.class)
                    String right,
            @JsonProperty("result") @JsonDeserialize(using = StrictScalars.OfText.class)
                    String result) {
        super(Op.Add, left, right, result);
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(QuantizedAddVertex.class, version);
    }

    @Override
    Op expected() {
        return Op.Add;
    }

    @Override
    IntegerForm form(LayerTensors tensors) {
        return SumForm.of(tensors);
    }

    @Override
    public QuantizedAddVertex clone() {
        return new QuantizedAddVertex(left(), right(), result());
    }

    @Override
    public String toString() {
        return "QuantizedAddVertex(" + left() + " + " + right() + " as " + result() + ")";
    }
}
