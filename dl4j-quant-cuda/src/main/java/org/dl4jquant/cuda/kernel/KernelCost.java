// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.check.Require;

/**
 * What a kernel has to do at least: the operations that its problem has, and the bytes that it must
 * read and write once. Padding to tiles and what is read twice do not count.
 *
 * @param operations multiplications and additions for each example of the batch, two for each
 *     product that is summed; 0 for kernels that do not multiply matrices
 * @param bytes codes and values that are read or written for each example
 * @param constantBytes weights and tables that are read, whatever the batch
 */
public record KernelCost(long operations, long bytes, long constantBytes) {

    private static final long TABLE_BYTES = 256;

    /* A bias and a multiplier. */
    private static final long BYTES_OF_A_FILTER = Integer.BYTES + Float.BYTES;

    /**
     * {@return the cost of a kernel}
     *
     * @param kernel one that this package made
     */
    public static KernelCost of(KernelSpec kernel) {
        Sizes sizes = new Sizes(kernel);
        return switch (kernel.file()) {
            case "igemm.cu", "wgmma.cu" -> product(sizes);
            case "quantize.cu", "dequantize.cu" ->
                    moved(
                            sizes.of("PIXELS")
                                    * (sizes.of("CHANNELS") * Float.BYTES + sizes.of("PITCH")));
            case "reorder.cu" -> moved(2 * sizes.of("TO_CHANNELS") * sizes.of("TO_PIXELS"));
            case "table.cu" ->
                    new KernelCost(
                            0, 2 * sizes.of("PIXELS") * sizes.padded("CHANNELS"), TABLE_BYTES);
            case "add.cu" -> moved(3 * sizes.of("PIXELS") * sizes.padded("CHANNELS"));
            case "pool.cu" ->
                    moved((sizes.area("") + sizes.area("OUT_")) * sizes.padded("CHANNELS"));
            case "mean.cu" -> moved((sizes.of("PIXELS") + 1) * sizes.padded("CHANNELS"));
            default ->
                    throw new IllegalArgumentException(
                            "nothing is known of the cost of " + kernel.file());
        };
    }

    private static KernelCost moved(long bytes) {
        return new KernelCost(0, bytes, 0);
    }

    private static KernelCost product(Sizes sizes) {
        long window = sizes.area("KERNEL_");
        long results = sizes.area("OUT_");
        long products = results * sizes.of("FILTERS") * window * sizes.of("REAL_CHANNELS");
        long resultBytes =
                sizes.is("FLOAT_OUTPUT")
                        ? Float.BYTES * sizes.of("FILTERS")
                        : sizes.of("FILTER_PITCH");
        long read = sizes.is("RESIDUAL") ? sizes.of("FILTER_PITCH") : 0;
        long pixel = Math.min(sizes.of("CHANNELS"), sizes.of("IN_PITCH"));
        long weights = sizes.of("FILTER_PITCH") * window * pixel;
        return new KernelCost(
                2 * products,
                sizes.area("") * pixel + results * (resultBytes + read),
                (sizes.is("PACKED_WEIGHTS") ? weights / 2 : weights)
                        + sizes.of("FILTER_PITCH") * BYTES_OF_A_FILTER);
    }

    /**
     * {@return the least time that a GPU can need, in microseconds}
     *
     * @param chip the GPU, by its data sheet
     * @param examples the batch
     */
    public double leastMicros(Chip chip, int examples) {
        return Math.max(computeMicros(chip, examples), memoryMicros(chip, examples));
    }

    /**
     * {@return whether multiplying takes longer than moving the bytes}
     *
     * @param chip the GPU, by its data sheet
     * @param examples the batch
     */
    public boolean boundByCompute(Chip chip, int examples) {
        return computeMicros(chip, examples) > memoryMicros(chip, examples);
    }

    private double computeMicros(Chip chip, int examples) {
        return (double) operations * examples / chip.int8TeraOperations() / 1e6;
    }

    private double memoryMicros(Chip chip, int examples) {
        return ((double) bytes * examples + constantBytes) / chip.gigabytesPerSecond() / 1e3;
    }

    /** The constants of a kernel, as numbers. */
    private record Sizes(KernelSpec kernel) {

        long of(String name) {
            String value = kernel.constants().get("QK_" + name);
            Require.argument(value != null, "%s has no constant QK_%s", kernel.file(), name);
            return Long.parseLong(value);
        }

        boolean is(String name) {
            return of(name) != 0;
        }

        long padded(String name) {
            return ImageLayout.padded(Math.toIntExact(of(name)));
        }

        long area(String prefix) {
            return of(prefix + "HEIGHT") * of(prefix + "WIDTH");
        }
    }
}
