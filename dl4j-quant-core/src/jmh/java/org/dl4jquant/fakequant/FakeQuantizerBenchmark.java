// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import java.util.concurrent.TimeUnit;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.CodeRange;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Rounds 1024 x 720 = 737,280 floats and passes their gradients, in one pass over host memory and
 * as ND4J operations; {@code copy} is ND4J's copy of the same array, the least that a pass costs.
 *
 * <pre>mvn -Pbench verify -pl dl4j-quant-core -Djmh.args=FakeQuantizerBenchmark</pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FakeQuantizerBenchmark {

    private static final long ROWS = 1024;
    private static final long COLUMNS = 720;

    /** Which implementation computes. */
    public enum Way {
        /** One pass over host memory. */
        FUSED,
        /** ND4J operations. */
        OPERATIONS
    }

    /** Which elements share a scale; arrays are in row-major order. */
    public enum Sharing {
        /** One scale. */
        TENSOR,
        /** One scale for each row: a channel's elements lie side by side. */
        ROW,
        /** One scale for each column: neighbours have different channels. */
        COLUMN
    }

    /** The implementation. */
    @Param public Way way = Way.FUSED;

    /** The channels. */
    @Param public Sharing sharing = Sharing.TENSOR;

    private Kernels kernels = HostKernels.INSTANCE;
    private Grid grid = new Grid(CodeRange.signed(8), 0, Channels.NONE);
    private INDArray values = Nd4j.empty();
    private INDArray scale = Nd4j.empty();
    private INDArray upstream = Nd4j.empty();
    private INDArray result = Nd4j.empty();
    private RequantizeSteps steps = RequantizeSteps.dividing(1);

    /** Makes normally distributed values of which 1 in 400 is clipped. */
    @Setup
    public void fill() {
        kernels = way == Way.FUSED ? HostKernels.INSTANCE : Nd4jKernels.INSTANCE;
        grid = new Grid(CodeRange.signed(8), 0, channels(sharing));
        long[] shape = {ROWS, COLUMNS};
        Nd4j.getRandom().setSeed(7);
        values = Nd4j.randn(DataType.FLOAT, shape);
        upstream = Nd4j.randn(DataType.FLOAT, shape);
        result = Nd4j.create(DataType.FLOAT, shape);
        int channels = grid.channels().count(shape);
        scale = Nd4j.valueArrayOf(new long[] {channels}, 3f / 128, DataType.FLOAT);
        steps =
                RequantizeSteps.multiplying(scale.rdiv(1).toFloatVector(), grid.channels())
                        .thenScaled(new RequantizeSteps.Bounds(0, 255), .1f);
    }

    private static Channels channels(Sharing sharing) {
        return switch (sharing) {
            case TENSOR -> Channels.NONE;
            case ROW -> Channels.axis(0);
            case COLUMN -> Channels.axis(1);
        };
    }

    /** Rounds to the values of codes. */
    @Benchmark
    public void forward() {
        kernels.round(grid, values, scale, result);
    }

    /** Passes gradients to values and scales. */
    @Benchmark
    public double[] backward() {
        return kernels.gradients(grid, GradientRule.LSQ, values, scale, upstream, result);
    }

    /** Passes gradients to values only. */
    @Benchmark
    public void mask() {
        kernels.mask(grid, GradientRule.LSQ, values, scale, upstream, result);
    }

    /** Turns accumulators into values. */
    @Benchmark
    public void requantize() {
        kernels.requantize(steps, values, result);
    }

    /** The yardstick. */
    @Benchmark
    public void copy() {
        result.assign(values);
    }
}
