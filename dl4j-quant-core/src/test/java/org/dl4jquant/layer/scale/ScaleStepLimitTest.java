// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.scale;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.Sgd;

class ScaleStepLimitTest {

    private static final String SCALE = TensorRole.OUTPUT.scaleKey();

    private static final String ZERO = TensorRole.OUTPUT.zeroKey();

    private static final LayerQuantizers SIGNED_LEARNED_ZERO =
            LayerQuantizers.of(
                    null,
                    new ActivationScheme(
                            TensorScheme.INT8_ACTIVATIONS.withSymmetry(Symmetry.ASYMMETRIC), true));

    /** {@return the gradient after the limit, of 10 examples} */
    private static float limited(
            LayerQuantizers quantizers,
            String key,
            float parameter,
            float gradient,
            IUpdater updater) {
        INDArray gradients = Nd4j.createFromArray(gradient);
        new ScaleStepLimit(quantizers, 10, 0, 0)
                .shorten(key, Nd4j.createFromArray(parameter), gradients, updater);
        return gradients.getFloat(0);
    }

    @Test
    void movesAScaleByAQuarterOfItselfAtMost() {
        // A step is rate * gradient / examples: 0.5 * 40 / 10 = 2, a quarter of 8.
        assertEquals(40, limited(SIGNED_LEARNED_ZERO, SCALE, 8, 1000, new Sgd(0.5)));
        assertEquals(-40, limited(SIGNED_LEARNED_ZERO, SCALE, 8, -1000, new Sgd(0.5)));
        assertEquals(39, limited(SIGNED_LEARNED_ZERO, SCALE, 8, 39, new Sgd(0.5)));
    }

    @Test
    void leavesRoomForTheVelocityThatMomentumGathers() {
        // (1 - 0.5)^2 of 40.
        assertEquals(10, limited(SIGNED_LEARNED_ZERO, SCALE, 8, 1000, new Nesterovs(0.5, 0.5)));
    }

    @Test
    void movesAZeroPointByAQuarterOfTheCodesAtMost() {
        // 255 codes from the first to the last: 0.5 * 1275 / 10 = 255 / 4.
        assertEquals(1275, limited(SIGNED_LEARNED_ZERO, ZERO, -20, 9000, new Sgd(0.5)));
    }

    @Test
    void leavesAZeroPointAloneThatIsNotInUse() {
        assertEquals(0, limited(LayerQuantizers.NONE, ZERO, -20, 0, new Sgd(0.5)));
    }

    @Test
    void leavesGradientsAloneThatMoveNothing() {
        assertEquals(1000, limited(SIGNED_LEARNED_ZERO, SCALE, 8, 1000, new NoOp()));
    }
}
