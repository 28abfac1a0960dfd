// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * Where a convolution or pooling looks: its kernel slides over the padded image.
 *
 * <p>Output size: {@code floor((size + before + after - dilation * (kernel - 1) - 1) / stride) +
 * 1}.
 *
 * <p>No size is above {@link #MAX_EXTENT}, so that no number of this package overflows.
 *
 * @param kernel the kernel's extent
 * @param stride the step
 * @param dilation the distance of the kernel's elements
 * @param before padding above and to the left
 * @param after padding below and to the right
 */
public record Window(Extent kernel, Extent stride, Extent dilation, Extent before, Extent after) {

    /** The greatest size of a kernel, stride, dilation or padding. */
    public static final int MAX_EXTENT = 1 << 20;

    /**
     * A pair of sizes.
     *
     * @param height rows
     * @param width columns
     */
    public record Extent(int height, int width) {
        /** No padding. */
        public static final Extent ZERO = new Extent(0, 0);

        /** One row, one column. */
        public static final Extent ONE = new Extent(1, 1);

        /**
         * {@return the same size for both}
         *
         * @param size rows and columns
         */
        public static Extent square(int size) {
            return new Extent(size, size);
        }

        private boolean atLeast(int least) {
            return height >= least && width >= least;
        }
    }

    /** Checks that each size is in its range. */
    public Window {
        Objects.requireNonNull(kernel, "kernel");
        Require.argument(kernel.atLeast(1), "kernel %s must be at least 1 x 1", kernel);
        Require.argument(stride.atLeast(1), "stride %s must be at least 1 x 1", stride);
        Require.argument(dilation.atLeast(1), "dilation %s must be at least 1 x 1", dilation);
        Require.argument(before.atLeast(0), "padding before %s must not be negative", before);
        Require.argument(after.atLeast(0), "padding after %s must not be negative", after);
        for (Extent extent : List.of(kernel, stride, dilation, before, after)) {
            Require.argument(
                    extent.height <= MAX_EXTENT && extent.width <= MAX_EXTENT,
                    "a window of kernel %s, stride %s, dilation %s and padding %s, %s has a size"
                            + " above %d",
                    kernel,
                    stride,
                    dilation,
                    before,
                    after,
                    MAX_EXTENT);
        }
    }

    /**
     * {@return a window without padding and dilation}
     *
     * @param kernel the kernel's extent
     * @param stride the step
     */
    public static Window of(Extent kernel, Extent stride) {
        return new Window(kernel, stride, Extent.ONE, Extent.ZERO, Extent.ZERO);
    }

    /**
     * {@return the result's height and width}
     *
     * @param image the extent of the input
     * @throws IllegalArgumentException if the kernel does not fit the padded image
     */
    public Extent over(Extent image) {
        return new Extent(
                positions(
                        (long) image.height + before.height + after.height,
                        kernel.height,
                        stride.height,
                        dilation.height),
                positions(
                        (long) image.width + before.width + after.width,
                        kernel.width,
                        stride.width,
                        dilation.width));
    }

    private static int positions(long padded, int kernel, int stride, int dilation) {
        long reach = dilation * (kernel - 1L) + 1;
        Require.argument(
                padded >= reach,
                "a kernel that reaches over %d does not fit an image of %d with its padding",
                reach,
                padded);
        long positions = (padded - reach) / stride + 1;
        Require.argument(
                positions <= Integer.MAX_VALUE,
                "%d positions of a window are more than an int can count",
                positions);
        return (int) positions;
    }
}
