// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The tables of a running layer, made again only when the numbers that they hold change. */
final class TableCache {

    private double[] seen = new double[0];
    private @Nullable ChannelTables made;

    /**
     * {@return the tables of now}
     *
     * @param numbers all numbers that the functions depend on
     * @param functions makes the functions
     * @param argument how the codes of the arguments stand for values
     * @param output how the codes of the results stand for values
     */
    synchronized ChannelTables tables(
            double[] numbers,
            Supplier<List<DoubleUnaryOperator>> functions,
            QuantParams argument,
            QuantParams output) {
        ChannelTables last = made;
        if (last != null
                && last.argument().equals(argument)
                && last.output().equals(output)
                && Arrays.equals(seen, numbers)) {
            return last;
        }
        ChannelTables fresh = ChannelTables.of(functions.get(), argument, output);
        seen = numbers;
        made = fresh;
        return fresh;
    }

    /**
     * {@return a parameter's numbers in row-major order, rounded if it is a weight with codes}
     *
     * @param tensors the layer's
     * @param key the parameter's name
     * @param values the parameter
     */
    static float[] rounded(LayerTensors tensors, String key, INDArray values) {
        CodeRounder rounder = tensors.weight(key);
        return rounder == null
                ? RowMajor.floats(values)
                : Detached.compute(
                        () -> {
                            INDArray rounded = values.ulike();
                            rounder.forward(values, rounded);
                            return RowMajor.floats(rounded);
                        });
    }
}
