// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric.recurrent;

import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.QuantParams;

/** The function of an Elman network as a table of codes. */
final class ElmanArithmetic implements CellArithmetic {

    private final int[] codes = new int[GateTables.SUMS];

    ElmanArithmetic(ElementwiseFunction function, float sumStep, QuantParams hidden) {
        for (int i = 0; i < codes.length; i++) {
            double sum = (i + GateTables.LEAST_SUM) * (double) sumStep;
            float value = (float) function.apply(sum);
            Require.argument(
                    Float.isFinite(value),
                    "%s of %s is %s, which has no code",
                    function,
                    sum,
                    value);
            codes[i] = hidden.quantize(value);
        }
    }

    @Override
    public void step(float[] sums, int[] hidden, int[] memory) {
        for (int unit = 0; unit < hidden.length; unit++) {
            hidden[unit] = codes[GateTables.sum(sums[unit]) - GateTables.LEAST_SUM];
        }
    }
}
