// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.WeightTensor;

/**
 * Weights, biases and multipliers as {@code igemm.cu} reads them: [filters rounded up to 16] of
 * each, zeros where there is no filter and no channel.
 */
public final class GemmWeights {

    private static final int BLOCK = 32;
    private static final int HALF = 16;
    private static final int NIBBLE = 0xf;
    private static final int LEAST_PACKED = -8;
    private static final int MOST_PACKED = 7;
    private static final long SHORT = 1L << 22;

    private final byte[] codes;
    private final int[] bias;
    private final float[] multipliers;

    private GemmWeights(byte[] codes, int[] bias, float[] multipliers) {
        this.codes = codes;
        this.bias = bias;
        this.multipliers = multipliers;
    }

    /**
     * Brings weights into the order of a product.
     *
     * <p>The input's zero point enters the bias: {@code sum((q - z) * w) = sum(q * w) - z *
     * sum(w)}, in arithmetic modulo 2^32, whose last result is inside int32.
     *
     * @param problem the product
     * @param weights [out, in, kernel height, kernel width], or [out, in] of a dense layer in the
     *     graph's order
     * @return what the kernel reads
     * @throws IllegalArgumentException if the weights are not the problem's, if a multiplier is
     *     infinite, or if weights of more than 4 bits shall be packed
     */
    public static GemmWeights of(GemmProblem problem, WeightTensor weights) {
        return of(problem, List.of(new Layer(weights, problem.output())));
    }

    /**
     * A layer of a product.
     *
     * @param weights its weights
     * @param output codes or float32 values
     */
    public record Layer(WeightTensor weights, Output output) {}

    /**
     * Brings the weights of stacked layers into the order of their product.
     *
     * @param problem the product
     * @param layers the layers, whose filters begin at multiples of 16
     * @return what the kernel reads
     * @throws IllegalArgumentException as for one layer
     */
    public static GemmWeights of(GemmProblem problem, List<Layer> layers) {
        int real = layers.stream().mapToInt(layer -> layer.weights().channels()).sum();
        Require.argument(
                real == problem.filters() - problem.gaps(),
                "weights of %d filters for a product of %d",
                real,
                problem.filters() - problem.gaps());
        List<GemmWeights> parts = layers.stream().map(layer -> of(problem, layer)).toList();
        ByteArrayOutputStream codes = new ByteArrayOutputStream();
        parts.forEach(part -> codes.writeBytes(part.codes));
        int columns = parts.stream().mapToInt(part -> part.bias.length).sum();
        int[] bias = new int[columns];
        float[] multipliers = new float[columns];
        int offset = 0;
        for (GemmWeights part : parts) {
            System.arraycopy(part.bias, 0, bias, offset, part.bias.length);
            System.arraycopy(part.multipliers, 0, multipliers, offset, part.bias.length);
            offset += part.bias.length;
        }
        return new GemmWeights(codes.toByteArray(), bias, multipliers);
    }

    private static GemmWeights of(GemmProblem problem, Layer layer) {
        WeightTensor weights = layer.weights();
        Window.Extent kernel = problem.window().kernel();
        Require.argument(
                weights.weightsPerChannel()
                        == problem.image().channels() * kernel.height() * kernel.width(),
                "weights %s for %d filters of %d channels, %s",
                weights.shape(),
                weights.channels(),
                problem.image().channels(),
                kernel);
        byte[] codes = inOrder(problem, weights);
        if (problem.packedWeights()) {
            Require.argument(
                    fits4Bits(weights),
                    "weight codes [%d, %d] do not fit 4 bits; leave them unpacked",
                    weights.range().min(),
                    weights.range().max());
            codes = packed(codes, kernel.height() * problem.weightsOfRow());
        }
        return new GemmWeights(
                codes,
                bias(problem.input(), weights),
                multipliers(problem.input(), weights, layer.output()));
    }

    /**
     * {@return whether two weights may lie in a byte: all codes fit 4 bits, and the sums are short
     * enough}
     *
     * @param problem the product
     * @param weights its weights
     */
    public static boolean canPack(GemmProblem problem, WeightTensor weights) {
        return fits4Bits(weights) && GemmProblem.isShortSum(problem.image(), problem.window());
    }

    /**
     * {@return whether every sum of products, with its bias, is inside (-2^22, 2^22), whatever the
     * input's codes are}
     *
     * @param problem the product
     * @param weights its weights
     */
    public static boolean sumsAreShort(GemmProblem problem, WeightTensor weights) {
        CodeRange range = problem.input().range();
        long largest = Math.max(Math.abs((long) range.min()), Math.abs((long) range.max()));
        int[] bias = bias(problem.input(), weights);
        int each = weights.weightsPerChannel();
        for (int filter = 0; filter < weights.channels(); filter++) {
            long bound = Math.abs((long) bias[filter]);
            for (int i = 0; i < each; i++) {
                bound += Math.abs(weights.code(filter * each + i)) * largest;
            }
            if (bound >= SHORT) {
                return false;
            }
        }
        return true;
    }

    /**
     * {@return whether two weights of each layer may lie in a byte}
     *
     * @param problem the product
     * @param layers its layers
     */
    public static boolean canPack(GemmProblem problem, List<Layer> layers) {
        return layers.stream().allMatch(layer -> canPack(problem, layer.weights()));
    }

    /**
     * {@return whether every sum of each layer is inside (-2^22, 2^22)}
     *
     * @param problem the product
     * @param layers its layers
     */
    public static boolean sumsAreShort(GemmProblem problem, List<Layer> layers) {
        return layers.stream().allMatch(layer -> sumsAreShort(problem, layer.weights()));
    }

    private static boolean fits4Bits(WeightTensor weights) {
        return weights.range().min() >= LEAST_PACKED && weights.range().max() <= MOST_PACKED;
    }

    private static byte[] inOrder(GemmProblem problem, WeightTensor weights) {
        Window.Extent kernel = problem.window().kernel();
        int filterBytes = kernel.height() * problem.weightsOfRow();
        byte[] codes = new byte[ImageLayout.padded(weights.channels()) * filterBytes];
        int from = 0;
        for (int filter = 0; filter < weights.channels(); filter++) {
            for (int channel = 0; channel < problem.image().channels(); channel++) {
                for (int y = 0; y < kernel.height(); y++) {
                    int row = filter * filterBytes + y * problem.weightsOfRow() + channel;
                    for (int x = 0; x < kernel.width(); x++) {
                        codes[row + x * problem.weightsOfPixel()] = (byte) weights.code(from++);
                    }
                }
            }
        }
        return codes;
    }

    /* Of each 32 codes, byte i holds codes i (low half) and 16 + i (high half). */
    private static byte[] packed(byte[] codes, int filterBytes) {
        int blocks = (filterBytes + BLOCK - 1) / BLOCK;
        int filters = codes.length / filterBytes;
        byte[] packed = new byte[filters * blocks * HALF];
        for (int filter = 0; filter < filters; filter++) {
            for (int i = 0; i < filterBytes; i++) {
                int to = (filter * blocks + i / BLOCK) * HALF + i % HALF;
                int shift = i % BLOCK < HALF ? 0 : 4;
                packed[to] |= (byte) ((codes[filter * filterBytes + i] & NIBBLE) << shift);
            }
        }
        return packed;
    }

    /**
     * {@return how many bytes packed codes have}
     *
     * @param rows how many rows there are
     * @param rowBytes codes of a row
     */
    public static long packedBytes(int rows, int rowBytes) {
        return (long) rows * ((rowBytes + BLOCK - 1L) / BLOCK) * HALF;
    }

    /**
     * Unpacks codes that {@link #of} packed.
     *
     * @param bytes what holds both
     * @param from where the packed codes begin
     * @param to where the codes shall begin, a byte each
     * @param rows how many filters
     * @param rowBytes codes of a filter, a multiple of 16
     */
    public static void unpack(ByteBuffer bytes, int from, int to, int rows, int rowBytes) {
        int blocks = (rowBytes + BLOCK - 1) / BLOCK;
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < rowBytes; i++) {
                byte pair = bytes.get(from + (row * blocks + i / BLOCK) * HALF + i % HALF);
                int code = i % BLOCK < HALF ? (byte) (pair << 4) >> 4 : pair >> 4;
                bytes.put(to + row * rowBytes + i, (byte) code);
            }
        }
    }

    /* With a zero point, sum((q - z) * w) = sum(q * w) - z * sum(w). */
    static int[] bias(QuantParams input, WeightTensor weights) {
        int[] bias = new int[ImageLayout.padded(weights.channels())];
        int each = weights.weightsPerChannel();
        for (int filter = 0; filter < weights.channels(); filter++) {
            int sum = 0;
            for (int i = 0; i < each; i++) {
                sum += weights.code(filter * each + i);
            }
            bias[filter] = weights.bias(filter) - input.zeroPoint() * sum;
        }
        return bias;
    }

    static float[] multipliers(QuantParams input, WeightTensor weights, Output output) {
        float[] multipliers = new float[ImageLayout.padded(weights.channels())];
        for (int filter = 0; filter < weights.channels(); filter++) {
            multipliers[filter] = output.multiplier(input.scale(), weights.scale(filter));
            Require.argument(
                    Float.isFinite(multipliers[filter]),
                    "the multiplier of channel %d is %s: input scale %s, weight scale %s; use a"
                            + " larger output scale",
                    filter,
                    multipliers[filter],
                    input.scale(),
                    weights.scale(filter));
        }
        return multipliers;
    }

    /** {@return a copy of the codes, filter by filter} */
    public byte[] codes() {
        return codes.clone();
    }

    /** {@return a copy of the biases} */
    public int[] bias() {
        return bias.clone();
    }

    /** {@return a copy of the multipliers} */
    public float[] multipliers() {
        return multipliers.clone();
    }
}
