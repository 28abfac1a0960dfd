// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric.recurrent;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.WeightTensor;

/** The arithmetic of one unit of a recurrent layer on its sums of products in each step. */
public sealed interface Cell {

    /** {@return how many sums each unit has} */
    int blocks();

    /**
     * {@return units per code of the sums}
     *
     * @param hidden how the codes of the hidden state stand for values
     */
    float sumStep(QuantParams hidden);

    /** {@return whether it has memory cells beside the hidden state} */
    boolean remembers();

    /**
     * {@return its arithmetic on codes}
     *
     * @param hidden how the codes of the hidden state stand for values
     */
    CellArithmetic arithmetic(QuantParams hidden);

    /**
     * A long short-term memory (Hochreiter and Schmidhuber, 1997; forget gates of Gers et al.,
     * 2000). Its blocks of sums are, in this order, candidate, forget, output, modulation.
     *
     * @param gate the function of the gates
     * @param function the function of the candidate and of the memory
     */
    record Lstm(ElementwiseFunction gate, ElementwiseFunction function) implements Cell {
        /** Checks that tables can hold the functions. */
        public Lstm {
            requireFunctions(gate, function);
        }

        @Override
        public int blocks() {
            return LstmArithmetic.BLOCKS;
        }

        @Override
        public float sumStep(QuantParams hidden) {
            return GateTables.SUM_STEP;
        }

        @Override
        public boolean remembers() {
            return true;
        }

        @Override
        public CellArithmetic arithmetic(QuantParams hidden) {
            return new LstmArithmetic(new GateTables(gate, function), null, hidden);
        }
    }

    /**
     * The same with peepholes (Gers and Schmidhuber, 2000): the gates read the memory, each unit
     * its own.
     *
     * @param gate the function of the gates
     * @param function the function of the candidate and of the memory
     * @param peepholes [3, units], without a bias: forget, output, modulation
     */
    record PeepholeLstm(
            ElementwiseFunction gate, ElementwiseFunction function, WeightTensor peepholes)
            implements Cell {

        /** The gates that read the memory. */
        public static final int GATES = 3;

        /** Checks that tables can hold the functions, and that the peepholes are a matrix. */
        public PeepholeLstm {
            requireFunctions(gate, function);
            Require.argument(
                    peepholes.shape().rank() == 2 && peepholes.channels() == GATES,
                    "peepholes %s must be [3, units]",
                    peepholes.shape());
        }

        @Override
        public int blocks() {
            return LstmArithmetic.BLOCKS;
        }

        @Override
        public float sumStep(QuantParams hidden) {
            return GateTables.SUM_STEP;
        }

        @Override
        public boolean remembers() {
            return true;
        }

        @Override
        public CellArithmetic arithmetic(QuantParams hidden) {
            return new LstmArithmetic(new GateTables(gate, function), multipliers(), hidden);
        }

        /** {@return the codes of each gate's sums in one code of the memory, row-major} */
        public float[] multipliers() {
            float[] multipliers = new float[peepholes.shape().elements()];
            int units = peepholes.weightsPerChannel();
            for (int i = 0; i < multipliers.length; i++) {
                multipliers[i] = peepholes.code(i) * peepholes.scale(i / units) * MEMORY_IN_SUMS;
            }
            return multipliers;
        }

        /** Codes of the sums in one of the memory. */
        public static final float MEMORY_IN_SUMS = GateTables.MEMORY_STEP / GateTables.SUM_STEP;
    }

    /**
     * An Elman network (1990): the hidden state is a function of the one block of sums.
     *
     * @param function any function that is finite
     */
    record Elman(ElementwiseFunction function) implements Cell {

        /** Codes of a sum that is not bounded in one of the hidden state, to round it once more. */
        private static final float FINER = 8;

        /** Checks that there is a function. */
        public Elman {
            Objects.requireNonNull(function, "function");
        }

        @Override
        public int blocks() {
            return 1;
        }

        @Override
        public float sumStep(QuantParams hidden) {
            return GateTables.isBounded(function) ? GateTables.SUM_STEP : hidden.scale() / FINER;
        }

        @Override
        public boolean remembers() {
            return false;
        }

        @Override
        public CellArithmetic arithmetic(QuantParams hidden) {
            return new ElmanArithmetic(function, sumStep(hidden), hidden);
        }
    }

    private static void requireFunctions(ElementwiseFunction gate, ElementwiseFunction function) {
        Require.argument(
                GateTables.isGate(Require.given(gate, "gate")),
                "the gates' function %s has no table; it must have values from 0 to 1, as SIGMOID"
                        + " and HARD_SIGMOID have",
                gate);
        Require.argument(
                GateTables.isBounded(Require.given(function, "function")),
                "the function %s has no table; it must have values from -1 to 1, as TANH, HARD_TANH"
                        + " and SOFTSIGN have",
                function);
    }
}
