// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

/**
 * What a kernel has to do at least: the operations that its problem has, and the bytes that it must
 * read and write once. Padding to tiles and what is read twice do not count.
 *
 * @param operations multiplications and additions for each example of the batch, two for each
 *     product that is summed; 0 for kernels that do without Tensor Cores
 * @param bytes codes and values that are read or written for each example
 * @param constantBytes weights and tables that are read, whatever the batch
 */
public record KernelCost(long operations, long bytes, long constantBytes) {

    private static final long TABLE_BYTES = 256;

    private static final double REACHED = 0.85;
    private static final double LAUNCH_MICROS = 1.2;

    /* A bias and a multiplier. */
    private static final long BYTES_OF_A_FILTER = Integer.BYTES + Float.BYTES;

    /**
     * {@return the cost of a kernel}
     *
     * @param kernel one that this package made
     */
    public static KernelCost of(KernelSpec kernel) {
        KernelConstants sizes = new KernelConstants(kernel);
        return switch (kernel.file()) {
            case "igemm.cu", "wgmma.cu" -> product(sizes);
            case "grouped.cu", "depthwise.cu" -> groups(sizes);
            case "quantize.cu", "dequantize.cu" ->
                    moved(
                            sizes.of("PIXELS")
                                    * (sizes.of("CHANNELS") * Float.BYTES + sizes.of("PITCH")));
            case "matmul.cu", "attention_weights.cu" ->
                    moved(
                            sizes.of("LEFT_PIXELS") * sizes.of("LEFT_PITCH")
                                    + sizes.of("RIGHT_PIXELS") * sizes.of("RIGHT_PITCH")
                                    + sizes.of("PIXELS") * sizes.of("PITCH"));
            case "normalize.cu" ->
                    moved(
                            sizes.of("PIXELS") * sizes.of("PITCH")
                                    + sizes.of("OUT_PIXELS") * sizes.of("OUT_PITCH"));
            case "lookup.cu" ->
                    moved(
                            sizes.of("INDICES") * Float.BYTES
                                    + 2 * sizes.of("CHANNELS") * sizes.of("PIXELS"));
            case "reorder.cu", "move.cu" ->
                    moved(2 * sizes.of("TO_CHANNELS") * sizes.of("TO_PIXELS"));
            case "rectify.cu", "transpose.cu" -> moved(2 * sizes.of("ELEMENTS") * Float.BYTES);
            case "table.cu" ->
                    new KernelCost(
                            0, 2 * sizes.of("PIXELS") * sizes.padded("CHANNELS"), TABLE_BYTES);
            case "channel_table.cu" ->
                    new KernelCost(
                            0,
                            2 * sizes.of("PIXELS") * sizes.padded("CHANNELS"),
                            TABLE_BYTES
                                    * sizes.of("CHANNELS")
                                    * sizes.of("TABLE_ROWS")
                                    * sizes.of("TABLE_COLUMNS"));
            case "add.cu" -> moved(3 * sizes.of("PIXELS") * sizes.padded("CHANNELS"));
            case "elementwise.cu" ->
                    moved((sizes.of("INPUTS") + 1) * sizes.of("PIXELS") * sizes.padded("CHANNELS"));
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

    private static KernelCost groups(KernelConstants sizes) {
        long taps = sizes.area("KERNEL_") * sizes.of("GROUP_CHANNELS");
        long resultBytes =
                sizes.is("FLOAT_OUTPUT")
                        ? Float.BYTES * sizes.of("FILTERS")
                        : sizes.of("FILTER_PITCH");
        // Not on Tensor Cores, whose rate would say nothing.
        return new KernelCost(
                0,
                sizes.area("") * sizes.of("IN_PITCH") + sizes.area("OUT_") * resultBytes,
                sizes.of("FILTER_PITCH") * (taps + BYTES_OF_A_FILTER));
    }

    private static KernelCost product(KernelConstants sizes) {
        long window = sizes.area("KERNEL_");
        long results = sizes.area("OUT_");
        long stored = sizes.is("POOL") ? sizes.area("POOLED_") : results;
        long products = results * sizes.of("REAL_FILTERS") * window * sizes.of("REAL_CHANNELS");
        long resultBytes =
                sizes.is("FLOAT_OUTPUT")
                        ? Float.BYTES * sizes.of("FILTERS")
                        : sizes.of("FILTER_PITCH");
        long read = sizes.is("RESIDUAL") ? sizes.of("FILTER_PITCH") : 0;
        long pixel = Math.min(sizes.of("CHANNELS"), sizes.of("IN_PITCH"));
        long weights = sizes.of("FILTER_PITCH") * window * pixel;
        return new KernelCost(
                2 * products,
                sizes.area("") * pixel + stored * (resultBytes + read),
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

    /**
     * {@return the time that the kernel is believed to take, in microseconds}
     *
     * <p>For products of matrices by the model that tiles are chosen by, for others the bytes at
     * {@value #REACHED} of the bandwidth; and the time between two kernels of a graph. Nothing of
     * it is fitted to a measurement.
     *
     * @param chip the GPU, by its data sheet
     * @param kernel the kernel of this cost
     * @param examples the batch
     */
    public double believedMicros(Chip chip, KernelSpec kernel, int examples) {
        double moving = memoryMicros(chip, examples) / REACHED;
        double multiplying =
                operations == 0
                        ? 0
                        : TileModel.cycles(kernel, chip.architecture(), examples)
                                / chip.gigahertz()
                                / 1e3;
        return LAUNCH_MICROS + Math.max(moving, multiplying);
    }

    private double computeMicros(Chip chip, int examples) {
        return (double) operations * examples / chip.int8TeraOperations() / 1e6;
    }

    private double memoryMicros(Chip chip, int examples) {
        return ((double) bytes * examples + constantBytes) / chip.gigabytesPerSecond() / 1e3;
    }
}
