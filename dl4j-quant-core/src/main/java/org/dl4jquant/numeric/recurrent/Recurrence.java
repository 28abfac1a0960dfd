// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric.recurrent;

import java.util.Arrays;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * A recurrent layer on codes, one example at a time.
 *
 * <p>In each step {@code sum = fl(fl((float) (x W + b) * m_x) + fl((float) (h R) * m_h))}, with
 * int32 sums of products and one multiplier for each column, {@code m = fl(fl(s_in * s_w) / step)};
 * the {@link Cell} makes the next state of it. A step that a mask hides leaves the state 0, as in
 * DL4J.
 */
public final class Recurrence {

    private final CellArithmetic cell;
    private final Product input;
    private final Product hidden;
    private final int units;
    private final boolean remembers;
    private final boolean reverse;

    /**
     * Takes what is computed with.
     *
     * @param cell the arithmetic of one step
     * @param inputWeights [blocks * units, inputs], with the bias
     * @param input how the codes of the input stand for values
     * @param hiddenWeights [blocks * units, units], without a bias
     * @param state how the codes of the hidden state stand for values
     * @param reverse whether the last step comes first
     */
    public Recurrence(
            Cell cell,
            WeightTensor inputWeights,
            QuantParams input,
            WeightTensor hiddenWeights,
            QuantParams state,
            boolean reverse) {
        Require.given(cell, "cell");
        float step = cell.sumStep(Require.given(state, "state"));
        this.cell = cell.arithmetic(state);
        this.input = new Product(inputWeights, Require.given(input, "input"), step);
        this.hidden = new Product(hiddenWeights, state, step);
        this.units = hiddenWeights.weightsPerChannel();
        this.remembers = cell.remembers();
        this.reverse = reverse;
    }

    /**
     * {@return codes of a sum per unit of an accumulator}
     *
     * @param codes how the factor's codes stand for values
     * @param weightScale units per code of the weights
     * @param step units per code of the sum
     */
    public static float multiplier(QuantParams codes, float weightScale, float step) {
        return codes.scale() * weightScale / step;
    }

    /** {@return the state before the first step: the codes of 0} */
    public State start() {
        State state = new State(new int[units], new int[remembers ? units : 0]);
        state.clear(hidden.zeroPoint);
        return state;
    }

    /**
     * The state between two steps.
     *
     * @param hidden the codes of the hidden state
     * @param memory the codes of the memory; none without memory cells
     */
    @SuppressWarnings("ArrayRecordComponent") // a state is overwritten in place, and not compared
    public record State(int[] hidden, int[] memory) {

        private void clear(int zeroPoint) {
            Arrays.fill(hidden, zeroPoint);
            Arrays.fill(memory, 0);
        }
    }

    /**
     * Runs all steps of one example.
     *
     * @param codes [inputs, steps], row-major
     * @param steps how many steps there are
     * @param mask whether each step counts; null if all do
     * @param state the state before the first step, which becomes the one after the last
     * @param result [units, steps], row-major: receives the codes of the hidden states
     */
    public void run(int[] codes, int steps, boolean @Nullable [] mask, State state, int[] result) {
        float[] sums = new float[input.bias.length];
        int[] column = new int[codes.length / steps];
        for (int i = 0; i < steps; i++) {
            int t = reverse ? steps - 1 - i : i;
            if (mask != null && !mask[t]) {
                state.clear(hidden.zeroPoint);
            } else {
                for (int row = 0; row < column.length; row++) {
                    column[row] = codes[row * steps + t];
                }
                Arrays.fill(sums, 0);
                input.addTo(sums, column);
                hidden.addTo(sums, state.hidden());
                cell.step(sums, state.hidden(), state.memory());
            }
            for (int unit = 0; unit < units; unit++) {
                result[unit * steps + t] = state.hidden()[unit];
            }
        }
    }

    /** A product of a vector of codes with a matrix. */
    private static final class Product {

        private final int[] weights; // as int, so that the product becomes vector code
        private final int[] bias;
        private final float[] multipliers;
        private final int zeroPoint;

        Product(WeightTensor weights, QuantParams codes, float step) {
            byte[] bytes = weights.codes();
            this.weights = new int[bytes.length];
            Arrays.setAll(this.weights, i -> bytes[i]);
            this.bias = weights.bias();
            this.multipliers = new float[bias.length];
            for (int row = 0; row < bias.length; row++) {
                multipliers[row] = multiplier(codes, weights.scale(row), step);
            }
            this.zeroPoint = codes.zeroPoint();
        }

        /* The first product is added to 0, which changes nothing. */
        void addTo(float[] sums, int[] codes) {
            int[] vector = new int[codes.length];
            for (int i = 0; i < vector.length; i++) {
                vector[i] = codes[i] - zeroPoint;
            }
            for (int row = 0; row < sums.length; row++) {
                int sum = bias[row];
                int start = row * vector.length;
                for (int i = 0; i < vector.length; i++) {
                    sum += weights[start + i] * vector[i];
                }
                sums[row] += sum * multipliers[row];
            }
        }
    }
}
