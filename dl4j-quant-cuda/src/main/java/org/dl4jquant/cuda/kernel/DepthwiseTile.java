// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.math.BigInteger;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jquant.graph.node.Window;

/*
 * The time of a tile is estimated as the instructions of a thread times the threads; but a GPU that has too few threads to be busy takes as
 * long as if it had enough. The numbers of instructions are counted in the source; none is measured.
 */
/**
 * How many pixels a thread of {@code depthwise.cu} makes; any number gives the same codes.
 *
 * @param rows pixels below one another
 * @param columns pixels beside one another
 * @param looped whether the rows of the kernel are taken in turn, for all of their weights do not
 *     fit the registers; then there is one row of pixels
 */
record DepthwiseTile(int rows, int columns, boolean looped) {

    private static final int THREADS = 128;

    /** Of a multiprocessor: 168 registers for each thread. */
    private static final int MIN_BLOCKS = 3;

    private static final int WORD = Integer.BYTES;
    private static final int MOST_ROWS = 8;
    private static final int MOST_COLUMNS = 8;

    /* Some of the 168 are for what the estimate does not know of. */
    private static final int MOST_REGISTERS = 112;
    private static final int ADDRESSES = 32;
    private static final int MOST_PRODUCTS = 1600;

    /* The compiler moves loads to the front as long as there are registers; with twice as many it spilt. */
    private static final int MOST_LOADS = 64;

    /* What keeps the largest GPU busy: 500 threads for each of 132 multiprocessors. */
    private static final double BUSY_THREADS = 66_000;

    private static final double LOAD = 2.5;
    private static final double TRANSPOSITION = 8;
    private static final double RESULT = 34;
    private static final double START = 60;

    /**
     * {@return whether there is a tile for a window: not if one row of it does not fit the
     * registers}
     *
     * @param window kernel, stride, dilation
     */
    static boolean suits(Window window) {
        return all(window).findAny().isPresent();
    }

    /**
     * {@return the tile with the least estimated time}
     *
     * @param window kernel, stride, dilation
     * @param result the result's height and width
     * @param words words of four filters of a pixel
     * @param examples the batch that the kernel is mostly run with
     */
    static DepthwiseTile best(Window window, Window.Extent result, long words, int examples) {
        Optional<DepthwiseTile> best =
                all(window)
                        .min(
                                Comparator.comparingDouble(
                                        tile -> tile.cost(window, result, words, examples)));
        return best.orElseThrow();
    }

    private static Stream<DepthwiseTile> all(Window window) {
        Stream<DepthwiseTile> tiles =
                IntStream.rangeClosed(1, MOST_ROWS)
                        .boxed()
                        .flatMap(
                                rows ->
                                        IntStream.rangeClosed(1, MOST_COLUMNS)
                                                .mapToObj(
                                                        columns ->
                                                                new DepthwiseTile(
                                                                        rows, columns, false)));
        Stream<DepthwiseTile> looped =
                IntStream.rangeClosed(1, MOST_COLUMNS)
                        .mapToObj(columns -> new DepthwiseTile(1, columns, true));
        return Stream.concat(tiles, looped).filter(tile -> tile.fits(window));
    }

    private boolean fits(Window window) {
        int height = looped ? 1 : window.kernel().height();
        int runs = over(window.kernel().width(), WORD);
        int step = step(window.stride().height(), window.dilation().height());
        int active = Math.min(rows, over(height, step));
        int registers =
                WORD * columns * active
                        + WORD * height * runs
                        + 2 * WORD * over(spanX(window), WORD)
                        + ADDRESSES;
        int products = WORD * rows * columns * height * runs;
        int loads = looped ? spanX(window) : spanX(window) * spanY(window);
        return registers <= MOST_REGISTERS && products <= MOST_PRODUCTS && loads <= MOST_LOADS;
    }

    private double cost(Window window, Window.Extent result, long words, int examples) {
        int height = window.kernel().height();
        int runs = over(window.kernel().width(), WORD);
        double inputRow = spanX(window) * LOAD + over(spanX(window), WORD) * TRANSPOSITION;
        int products = WORD * height * runs;
        double each =
                spanY(window) * inputRow
                        + rows * columns * (products + RESULT)
                        + height * runs * (looped ? 2 : 1)
                        + START;
        return each * Math.max(BUSY_THREADS, (double) units(window, result, words) * examples);
    }

    private int spanX(Window window) {
        return (columns - 1) * step(window.stride().width(), window.dilation().width())
                + window.kernel().width();
    }

    private int spanY(Window window) {
        return (rows - 1) * step(window.stride().height(), window.dilation().height())
                + window.kernel().height();
    }

    /* Threads for an example. */
    private long units(Window window, Window.Extent result, long words) {
        int spacingY = step(window.dilation().height(), window.stride().height());
        int spacingX = step(window.dilation().width(), window.stride().width());
        long tilesY = (long) over(result.height(), rows * spacingY) * spacingY;
        long tilesX = (long) over(result.width(), columns * spacingX) * spacingX;
        return words * tilesY * tilesX;
    }

    private static int step(int size, int other) {
        return size / BigInteger.valueOf(size).gcd(BigInteger.valueOf(other)).intValue();
    }

    private static int over(int size, int part) {
        return (size + part - 1) / part;
    }

    /**
     * {@return the kernel}
     *
     * @param constants of the convolution; those of the tile are added
     * @param window kernel, stride, dilation
     * @param result the result's height and width
     * @param words words of four filters of a pixel
     */
    KernelSpec kernel(Constants constants, Window window, Window.Extent result, long words) {
        constants.put("TILE_ROWS", rows).put("TILE_COLUMNS", columns).put("LOOPED", looped);
        Launch launch = new Launch(units(window, result, words), THREADS, 1, THREADS, 0);
        return new KernelSpec("depthwise.cu", constants.toMap(), launch, MIN_BLOCKS);
    }
}
