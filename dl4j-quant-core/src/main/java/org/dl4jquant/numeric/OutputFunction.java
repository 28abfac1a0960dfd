// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * A function of a network's float32 results: the activation function of its last layer.
 *
 * <p>This is its one definition. Engines and the quantized network's own inference apply it, so
 * that they return the same float32 values in every bit: {@link StrictMath}, and sums in the order
 * of the index. NaN stays NaN.
 *
 * <p>A {@link Rectifier} is single float32 operations, which every runtime computes alike, and so
 * it can be a node of the integer graph, too. All others are applied to what leaves the graph.
 */
public sealed interface OutputFunction {

    /**
     * Applies the function to a batch.
     *
     * @param values example by example, each row-major; changed
     * @param examples how many examples there are
     * @param shape one example's dimensions
     * @throws IllegalArgumentException if the function does not fit the shape
     */
    void applyInPlace(float[] values, int examples, Shape shape);

    /**
     * {@return whether the function can be applied to examples of a shape}
     *
     * @param shape one example's dimensions
     */
    default boolean fits(Shape shape) {
        return true;
    }

    /** {@return the function as text, which {@link #parse} reads} */
    String text();

    /** A function of each value alone that is one float32 operation and a comparison. */
    sealed interface Rectifier extends OutputFunction {
        /**
         * {@return the function's value}
         *
         * @param x the argument
         */
        float apply(float x);

        @Override
        default void applyInPlace(float[] values, int examples, Shape shape) {
            for (int i = 0; i < values.length; i++) {
                values[i] = apply(values[i]);
            }
        }
    }

    /**
     * Clamps values: ReLU, ReLU6 and hard tanh are clamps.
     *
     * @param least the least value, or negative infinity
     * @param most the largest value, or positive infinity
     */
    record Clamp(float least, float most) implements Rectifier {
        /** Checks the order. */
        public Clamp {
            Require.argument(least <= most, "a clamp to [%s, %s] leaves nothing", least, most);
        }

        @Override
        public float apply(float x) {
            return x < least ? least : x > most ? most : x;
        }

        @Override
        public String text() {
            return OutputFunctionText.CLAMP + " " + least + " " + most;
        }
    }

    /**
     * {@code x} from a threshold on, {@code slope * (x - threshold)} below it: the leaky ReLU has
     * the threshold 0. Where the slope is 0, values below become +0.
     *
     * @param threshold the least value that stays, finite
     * @param slope the slope below it, finite
     */
    record Slope(float threshold, float slope) implements Rectifier {
        /** Checks that the numbers are finite. */
        public Slope {
            Require.argument(
                    Float.isFinite(threshold) && Float.isFinite(slope),
                    "threshold %s and slope %s must be finite",
                    threshold,
                    slope);
        }

        @Override
        public float apply(float x) {
            return x < threshold ? (slope == 0 ? 0 : slope * (x - threshold)) : x;
        }

        @Override
        public String text() {
            return OutputFunctionText.SLOPE + " " + threshold + " " + slope;
        }
    }

    /**
     * A function of each value alone, computed in float64 and rounded to float32.
     *
     * @param function the function
     */
    record Pointwise(ElementwiseFunction function) implements OutputFunction {
        /** Checks that there is a function. */
        public Pointwise {
            Objects.requireNonNull(function, "function");
        }

        @Override
        public void applyInPlace(float[] values, int examples, Shape shape) {
            for (int i = 0; i < values.length; i++) {
                float x = values[i];
                values[i] = Float.isNaN(x) ? x : (float) function.apply(x);
            }
        }

        @Override
        public String text() {
            return OutputFunctionText.of(function);
        }
    }

    /**
     * Softmax: {@code e^(x - largest)}, divided by the sum of these along an axis, in float64.
     *
     * @param axis the axis of one example, from 0 on; channels are axis 0
     */
    record Softmax(int axis) implements OutputFunction {
        /** Checks the axis. */
        public Softmax {
            Require.argument(axis >= 0, "softmax along axis %d", axis);
        }

        @Override
        public boolean fits(Shape shape) {
            return axis < shape.rank();
        }

        @Override
        public void applyInPlace(float[] values, int examples, Shape shape) {
            Require.argument(
                    axis < shape.rank(), "softmax along axis %d of examples %s", axis, shape);
            int count = shape.size(axis);
            int step = 1;
            for (int inner = axis + 1; inner < shape.rank(); inner++) {
                step *= shape.size(inner);
            }
            double[] powers = new double[count];
            for (int block = 0; block < values.length; block += count * step) {
                for (int place = 0; place < step; place++) {
                    normalizeInPlace(values, block + place, step, powers);
                }
            }
        }

        private static void normalizeInPlace(float[] values, int from, int step, double[] powers) {
            float largest = Float.NEGATIVE_INFINITY;
            for (int i = 0; i < powers.length; i++) {
                largest = Math.max(largest, values[from + i * step]);
            }
            double sum = 0;
            for (int i = 0; i < powers.length; i++) {
                powers[i] = StrictMath.exp((double) values[from + i * step] - largest);
                sum += powers[i];
            }
            for (int i = 0; i < powers.length; i++) {
                values[from + i * step] = (float) (powers[i] / sum);
            }
        }

        @Override
        public String text() {
            return OutputFunctionText.SOFTMAX + " " + axis;
        }
    }

    /**
     * YOLOv2's grid of boxes: for each box the sigmoid of its place's two coordinates, its width
     * and height {@code prior * e^x}, the sigmoid of its confidence, and the softmax of its
     * classes; each number in float64, rounded once.
     *
     * @param channelsLast whether the channels are the last axis of an example, not the first one
     * @param priors width and height of each box, in turn, in units of the grid
     */
    record BoxGrid(boolean channelsLast, List<Float> priors) implements OutputFunction {

        /** Coordinates, sizes, confidence. */
        private static final int BEFORE_CLASSES = 5;

        private static final int SIZES = 2;

        /** Checks the priors. */
        public BoxGrid {
            priors = List.copyOf(priors);
            Require.argument(
                    !priors.isEmpty() && priors.size() % SIZES == 0,
                    "there are %d numbers of boxes; each box has a width and a height",
                    priors.size());
            Require.argument(
                    priors.stream().allMatch(prior -> prior > 0 && Float.isFinite(prior)),
                    "the sizes of boxes are %s; all must be finite and above 0",
                    priors);
        }

        /** {@return the number of boxes of each place of the grid} */
        public int boxes() {
            return priors.size() / SIZES;
        }

        @Override
        public boolean fits(Shape shape) {
            return shape.isImage()
                    && channels(shape) % boxes() == 0
                    && channels(shape) / boxes() >= BEFORE_CLASSES;
        }

        private int channels(Shape shape) {
            return shape.size(channelsLast ? Shape.IMAGE_RANK - 1 : 0);
        }

        @Override
        public void applyInPlace(float[] values, int examples, Shape shape) {
            Require.argument(
                    fits(shape),
                    "%d boxes do not fit examples %s with the channels %s: each box needs as many"
                            + " channels, five and one for each class",
                    boxes(),
                    shape,
                    channelsLast ? "last" : "first");
            int channels = channels(shape);
            int places = shape.elements() / channels;
            int step = channelsLast ? 1 : places;
            double[] powers = new double[channels / boxes() - BEFORE_CLASSES];
            for (int example = 0; example < examples; example++) {
                for (int place = 0; place < places; place++) {
                    int first =
                            example * shape.elements() + (channelsLast ? place * channels : place);
                    for (int box = 0; box < boxes(); box++) {
                        int from = first + box * (powers.length + BEFORE_CLASSES) * step;
                        boxInPlace(values, from, step, box);
                        Softmax.normalizeInPlace(
                                values, from + BEFORE_CLASSES * step, step, powers);
                    }
                }
            }
        }

        private void boxInPlace(float[] values, int from, int step, int box) {
            for (int i = 0; i < BEFORE_CLASSES; i++) {
                int at = from + i * step;
                boolean size = i == SIZES || i == SIZES + 1;
                values[at] =
                        size
                                ? (float)
                                        (StrictMath.exp(values[at])
                                                * priors.get(box * SIZES + i - SIZES))
                                : (float) ElementwiseFunction.Fixed.SIGMOID.apply(values[at]);
            }
        }

        @Override
        public String text() {
            StringBuilder text =
                    new StringBuilder(OutputFunctionText.BOX_GRID)
                            .append(channelsLast ? " last" : " first");
            priors.forEach(prior -> text.append(' ').append(prior));
            return text.toString();
        }
    }

    /**
     * {@return functions as text, in the order in which they are applied}
     *
     * @param functions the functions
     */
    static String text(List<OutputFunction> functions) {
        return OutputFunctionText.of(functions);
    }

    /**
     * {@return the functions of a text}
     *
     * @param text a result of {@link #text(List)}
     * @throws IllegalArgumentException if it is no such text
     */
    static List<OutputFunction> parse(String text) {
        return OutputFunctionText.parse(text);
    }
}
