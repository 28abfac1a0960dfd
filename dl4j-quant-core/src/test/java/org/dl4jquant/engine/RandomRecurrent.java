// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.Random;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.ElementwiseFunction.Fixed;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.numeric.recurrent.Cell;

/** Draws recurrent layers, most of them with sums that do not saturate. */
final class RandomRecurrent {

    private static final Fixed[] BOUNDED = {
        Fixed.TANH, Fixed.TANH, Fixed.HARD_TANH, Fixed.SOFTSIGN, Fixed.RECTIFIED_TANH, Fixed.SIGMOID
    };
    private static final ElementwiseFunction[] ANY = {
        Fixed.TANH,
        Fixed.IDENTITY,
        Fixed.SOFTSIGN,
        Fixed.CUBE,
        Fixed.SWISH,
        new ElementwiseFunction.PiecewiseLinear(Double.POSITIVE_INFINITY, 0, 0),
        new ElementwiseFunction.PiecewiseLinear(6, 0, 0.1),
        new ElementwiseFunction.Elu(0.5)
    };
    private static final int MOST_UNITS = 12;

    private final Random random;
    private final RandomNodes nodes;

    RandomRecurrent(Random random, RandomNodes nodes) {
        this.random = random;
        this.nodes = nodes;
    }

    Recurrent node(String name, String input, TensorType type) {
        return node(name, Recurrent.Reads.all(input), type);
    }

    Recurrent node(String name, Recurrent.Reads reads, TensorType type) {
        int units = 1 + random.nextInt(MOST_UNITS);
        Cell cell = cell(units);
        int rows = cell.blocks() * units;
        QuantParams hidden = nodes.params((float) Math.exp(-5 + random.nextGaussian()));
        WeightTensor inputWeights =
                weights(Shape.of(rows, type.shape().size(0)), type.codes(), true);
        WeightTensor hiddenWeights = weights(Shape.of(rows, units), hidden, false);
        return new Recurrent(
                name, reads, cell, inputWeights, hiddenWeights, hidden, random.nextBoolean());
    }

    private Cell cell(int units) {
        Fixed gate = random.nextInt(3) == 0 ? Fixed.HARD_SIGMOID : Fixed.SIGMOID;
        Fixed function = BOUNDED[random.nextInt(BOUNDED.length)];
        return switch (random.nextInt(3)) {
            case 0 -> new Cell.Lstm(gate, function);
            case 1 ->
                    new Cell.PeepholeLstm(
                            gate,
                            function,
                            weights(
                                    Shape.of(Cell.PeepholeLstm.GATES, units),
                                    new QuantParams(0x1p-8f, 0, CodeRange.signed(8)),
                                    false));
            default -> new Cell.Elman(ANY[random.nextInt(ANY.length)]);
        };
    }

    private WeightTensor weights(Shape shape, QuantParams codes, boolean withBias) {
        WeightTensor drawn = nodes.weights(shape);
        double spread =
                Math.sqrt(shape.size(1))
                        * (codes.range().max() - codes.range().min())
                        / 3.0
                        * drawn.range().max()
                        / 2.0;
        float common = (float) (2 * random.nextDouble() / (codes.scale() * Math.max(spread, 1)));
        float[] scales = drawn.scales();
        for (int row = 0; row < scales.length; row++) {
            scales[row] = nodes.near(common);
        }
        return WeightTensor.of(
                shape,
                drawn.range(),
                drawn.codes(),
                scales,
                withBias ? drawn.bias() : new int[scales.length]);
    }
}
