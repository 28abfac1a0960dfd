// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.scale;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ScaleHandoverTest {

    /* The new scale is rounded to float32 once, so its clip point is off by half a unit in the last
     * place, and the product in float32 by another half. */
    private static final int ULPS = 1;

    @Test
    void dividesByTheLargestCodes() {
        // 8 to 4 bits: 127 / 7 and 255 / 15, both known without the code.
        assertEquals(
                0.25f * 127 / 7,
                ScaleHandover.scale(0.25f, CodeRange.narrow(8), CodeRange.narrow(4)));
        assertEquals(
                4.25f, ScaleHandover.scale(0.25f, CodeRange.unsigned(8), CodeRange.unsigned(4)));
        assertEquals(0.75f, ScaleHandover.scale(0.25f, CodeRange.signed(3), CodeRange.signed(2)));
    }

    @Property
    void keepsTheValueAtWhichItClips(
            @ForAll @FloatRange(min = 1e-6f, max = 1e3f) @Scale(7) float scale,
            @ForAll @IntRange(min = 2, max = 8) int from,
            @ForAll @IntRange(min = 2, max = 8) int to) {
        CodeRange before = CodeRange.unsigned(from);
        CodeRange after = CodeRange.unsigned(to);
        float clip = scale * before.max();
        float kept = ScaleHandover.scale(scale, before, after) * after.max();
        assertEquals(clip, kept, ULPS * Math.ulp(clip));
    }

    private static LayerQuantizers quantizers(TensorScheme weights, TensorScheme output) {
        return LayerQuantizers.of(weights, new ActivationScheme(output, true));
    }

    private static final WeightSlot SLOT =
            new WeightSlot(
                    "W",
                    "scaleW",
                    org.dl4jquant.nd.Channels.axis(0),
                    2,
                    WeightLayout.of(0, 1),
                    null);

    private static Map<String, INDArray> table(float outputScale, float zero) {
        return Map.of(
                "scaleW",
                Nd4j.createFromArray(0.5f, 2f),
                TensorRole.OUTPUT.scaleKey(),
                Nd4j.createFromArray(outputScale),
                TensorRole.OUTPUT.zeroKey(),
                Nd4j.createFromArray(zero));
    }

    @Test
    void convertsEachChannelOfAWeight() {
        LayerQuantizers prepared = quantizers(TensorScheme.weights(4), TensorScheme.activations(4));
        Map<String, INDArray> table = table(1, 0);
        new ScaleHandover(prepared, prepared.at(Precision.INT8), prepared)
                .applyInPlace(List.of(SLOT), table);
        assertEquals(0.5f * 127 / 7, table.get("scaleW").getFloat(0));
        assertEquals(2f * 127 / 7, table.get("scaleW").getFloat(1));
    }

    @Test
    void keepsBothEndsOfAnAsymmetricRange() {
        TensorScheme four = TensorScheme.activations(4).withSymmetry(Symmetry.ASYMMETRIC);
        LayerQuantizers prepared = quantizers(TensorScheme.weights(4), four);
        // 8 bits [-128, 127], scale 1, zero point -43: values from -85 to 170.
        Map<String, INDArray> table = table(1, -43);
        new ScaleHandover(prepared, prepared.at(Precision.INT8), prepared)
                .applyInPlace(List.of(), table);
        // 15 steps of 17 from -85: code -8 is -85, so 0 has the code -3, and 7 is 170.
        assertEquals(17f, table.get(TensorRole.OUTPUT.scaleKey()).getFloat(0));
        assertEquals(-3f, table.get(TensorRole.OUTPUT.zeroKey()).getFloat(0));
    }

    @Test
    void scalesStandForThePreparedWidthWhileNothingIsInteger() {
        LayerQuantizers prepared = quantizers(TensorScheme.weights(4), TensorScheme.activations(4));
        Map<String, INDArray> table = table(1, 0);
        new ScaleHandover(prepared, prepared, prepared.at(Precision.FP16))
                .applyInPlace(List.of(SLOT), table);
        assertEquals(0.5f, table.get("scaleW").getFloat(0));
        new ScaleHandover(prepared, prepared.at(Precision.FP16), prepared.at(Precision.INT8))
                .applyInPlace(List.of(SLOT), table);
        assertEquals((float) (0.5 * 7 / 127), table.get("scaleW").getFloat(0));
    }
}
