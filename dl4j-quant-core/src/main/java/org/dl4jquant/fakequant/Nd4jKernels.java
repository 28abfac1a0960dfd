// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The passes as ND4J operations, for any backend and for DOUBLE arrays.
 *
 * <p>Intermediate arrays are allocated outside all workspaces. The operation is {@code rint},
 * because ND4J's {@code round} takes ties away from zero. Tables are looked up in Java: the native
 * {@code gather} of 1.0.0-M2.1 crashed the JVM on permuted arrays.
 */
final class Nd4jKernels implements Kernels {

    /** The only instance; it has no state. */
    static final Nd4jKernels INSTANCE = new Nd4jKernels();

    private Nd4jKernels() {}

    @Override
    public void round(Grid grid, INDArray in, INDArray scale, INDArray out) {
        Detached.run(
                () -> {
                    INDArray scales = broadcastable(scale, grid.channels(), in.shape());
                    INDArray codes = rint(clamp(in.div(scales), grid));
                    out.assign(codes.muli(scales));
                });
    }

    @Override
    public void quantize(Grid grid, INDArray in, INDArray scale, INDArray out) {
        Detached.run(
                () -> {
                    INDArray scales = broadcastable(float32(scale), grid.channels(), in.shape());
                    out.assign(rint(clamp(float32(in).div(scales), grid)));
                });
    }

    @Override
    public void mask(
            Grid grid,
            GradientRule rule,
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn) {
        Detached.run(
                () -> {
                    INDArray scales = broadcastable(scale, grid.channels(), in.shape());
                    INDArray values = in.div(scales);
                    INDArray mask = inside(values, grid);
                    scaleElements(mask, clamp(values, grid), upstream, rule);
                    gradientIn.assign(upstream.mul(mask));
                });
    }

    @Override
    public double[] gradients(
            Grid grid,
            GradientRule rule,
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn) {
        return Detached.compute(
                () -> {
                    INDArray scales = broadcastable(scale, grid.channels(), in.shape());
                    INDArray values = in.div(scales);
                    INDArray mask = inside(values, grid);
                    INDArray clamped = clamp(values, grid);
                    scaleElements(mask, clamped, upstream, rule);
                    if (!rule.byRounding()) {
                        rint(clamped);
                    }
                    INDArray derivative = rint(clamped.dup()).subi(clamped.muli(mask));
                    double[] sums = sumByChannel(derivative.muli(upstream), grid.channels());
                    gradientIn.assign(upstream.mul(mask));
                    return sums;
                });
    }

    @Override
    public double[] clippedSums(Grid grid, INDArray in, INDArray scale, INDArray upstream) {
        return Detached.compute(
                () -> {
                    INDArray scales = broadcastable(scale, grid.channels(), in.shape());
                    INDArray clipped = inside(in.div(scales), grid).rsubi(1);
                    return sumByChannel(clipped.muli(upstream), grid.channels());
                });
    }

    private static void scaleElements(
            INDArray mask, INDArray clamped, INDArray upstream, GradientRule rule) {
        if (rule.elementwise() != 0) {
            INDArray away = clamped.sub(rint(clamped.dup()));
            INDArray signs = Transforms.sign(upstream, true);
            mask.muli(signs.muli(rule.elementwise()).muli(away).addi(1));
        }
    }

    @Override
    public void requantize(RequantizeSteps steps, INDArray accumulator, INDArray out) {
        Detached.run(
                () -> {
                    INDArray numbers = numbers(steps, float32(accumulator));
                    RequantizeSteps.Bounds codes = steps.codes();
                    out.assign(codes == null ? numbers : results(steps, codes, numbers));
                });
    }

    private static INDArray numbers(RequantizeSteps steps, INDArray elements) {
        INDArray factors =
                broadcastable(
                        RowMajor.array(steps.factors(), steps.factors().length),
                        steps.channels(),
                        elements.shape());
        return switch (steps.source()) {
            case ACCUMULATORS -> rint(elements.dup()).muli(factors);
            case VALUES -> elements.div(factors);
        };
    }

    private static INDArray results(
            RequantizeSteps steps, RequantizeSteps.Bounds bounds, INDArray numbers) {
        INDArray codes = rint(clamp(numbers, bounds.lowest(), bounds.highest()));
        float[] table = steps.table();
        if (table == null) {
            return codes.muli(steps.scale());
        }
        float[] lookedUp = RowMajor.floats(codes);
        ChunkMath.lookUp(lookedUp, lookedUp.length, bounds.lowest(), table);
        return RowMajor.array(lookedUp, codes.shape());
    }

    @Override
    public void roundToHalf(INDArray in, INDArray out) {
        Detached.run(() -> out.assign(in.castTo(DataType.FLOAT16)));
    }

    private static INDArray float32(INDArray array) {
        return array.castTo(DataType.FLOAT);
    }

    /** The zero that is added makes -0 to +0, which is what an integer code becomes. */
    private static INDArray rint(INDArray numbers) {
        Nd4j.exec(DynamicCustomOp.builder("rint").addInputs(numbers).addOutputs(numbers).build());
        return numbers.addi(0);
    }

    private static INDArray clamp(INDArray numbers, Grid grid) {
        return clamp(numbers, grid.lowest(), grid.highest());
    }

    private static INDArray clamp(INDArray numbers, int lowest, int highest) {
        Nd4j.exec(
                DynamicCustomOp.builder("clipbyvalue")
                        .addInputs(numbers)
                        .addOutputs(numbers)
                        .addFloatingPointArguments((double) lowest, (double) highest)
                        .build());
        return numbers;
    }

    private static INDArray inside(INDArray values, Grid grid) {
        INDArray above = values.gt(grid.lowest()).castTo(values.dataType());
        return above.muli(values.lt(grid.highest()).castTo(values.dataType()));
    }

    /** One number for each channel, with a shape that ND4J broadcasts over the tensor. */
    private static INDArray broadcastable(INDArray perChannel, Channels channels, long[] shape) {
        long[] ones = new long[shape.length];
        Arrays.fill(ones, 1);
        int[] axes = channels.axes().stream().mapToInt(axis -> axis).toArray();
        if (axes.length == 0) {
            return perChannel.reshape(ones);
        }
        for (int axis : axes) {
            ones[axis] = shape[axis];
        }
        long[] numbered = IntStream.of(axes).mapToLong(axis -> shape[axis]).toArray();
        INDArray inNumbersOrder = perChannel.reshape('c', numbered);
        int[] ascending =
                IntStream.range(0, axes.length)
                        .boxed()
                        .sorted((a, b) -> Integer.compare(axes[a], axes[b]))
                        .mapToInt(i -> i)
                        .toArray();
        return inNumbersOrder.permute(ascending).dup('c').reshape('c', ones);
    }

    private static double[] sumByChannel(INDArray numbers, Channels channels) {
        INDArray wide = numbers.castTo(DataType.DOUBLE);
        int[] axes = channels.axes().stream().mapToInt(axis -> axis).toArray();
        int[] others =
                IntStream.range(0, numbers.rank())
                        .filter(axis -> !channels.axes().contains(axis))
                        .toArray();
        if (axes.length == 0) {
            return new double[] {wide.sumNumber().doubleValue()};
        }
        int[] order = IntStream.concat(IntStream.of(axes), IntStream.of(others)).toArray();
        INDArray channelsFirst = wide.permute(order);
        int[] rest = IntStream.range(axes.length, numbers.rank()).toArray();
        return RowMajor.doubles(rest.length == 0 ? channelsFirst : channelsFirst.sum(rest));
    }
}
