// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.numeric.CodeOperation;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;

/** The kernel that combines tensors place by place. */
public final class ElementwiseKernel {

    /** The most tensors that it combines; it has this many pointers before the result's. */
    public static final int MAX_INPUTS = 8;

    private static final int INT8_OFFSET = 128;

    private ElementwiseKernel() {}

    /**
     * A tensor that is read.
     *
     * @param layout where its codes lie: as many channels, rows and columns as the result, or one
     * @param params how they stand for values
     */
    public record Source(ImageLayout layout, QuantParams params) {}

    /**
     * {@return the kernel; its arguments: {@link #MAX_INPUTS} tensors of codes, of which those
     * beyond the node's are not read, and codes}
     *
     * @param node the node
     * @param sources its inputs
     * @param result where the result goes
     */
    public static KernelSpec of(Elementwise node, List<Source> sources, ImageLayout result) {
        Require.argument(
                sources.size() <= MAX_INPUTS,
                "it combines %d tensors, and a kernel %d; combine some of them before",
                sources.size(),
                MAX_INPUTS);
        Constants constants =
                new Constants()
                        .put("CHANNELS", result.channels())
                        .put("PIXELS", ElementKernels.pixels(result))
                        .put("WIDTH", result.width())
                        .put("OUT_PITCH", result.pitch())
                        .put("INPUTS", sources.size())
                        .put("OPERATION", number(node.operation()));
        for (int i = 0; i < MAX_INPUTS; i++) {
            put(constants, i, sources.get(i < sources.size() ? i : 0), result);
        }
        rounding(constants, node, sources.stream().map(Source::params).toList());
        long units =
                ElementKernels.pixels(result)
                        * ElementKernels.over(result.channels(), ImageLayout.CHUNK);
        return ElementKernels.kernel("elementwise.cu", constants, units, 0);
    }

    /* As the source numbers them. */
    private static int number(CodeOperation.Kind kind) {
        return switch (kind) {
            case PRODUCT -> 0;
            case SUM -> 1;
            case DIFFERENCE -> 2;
            case MAXIMUM -> 3;
            case MINIMUM -> 4;
            case MEAN -> 5;
        };
    }

    private static void put(Constants constants, int index, Source source, ImageLayout result) {
        ImageLayout layout = source.layout();
        Require.argument(
                fits(layout.channels(), result.channels())
                        && fits(layout.height(), result.height())
                        && fits(layout.width(), result.width())
                        && layout.pitch() % ImageLayout.CHUNK == 0,
                "%s cannot be repeated to %s",
                layout,
                result);
        constants
                .put("PITCH_" + index, layout.pitch())
                .put("PIXELS_" + index, ElementKernels.pixels(layout))
                .put("ROW_" + index, layout.height() > 1 ? layout.width() : 0)
                .put("COLUMN_" + index, layout.width() > 1 ? 1 : 0)
                .put("SPLAT_" + index, layout.channels() < result.channels())
                .put("UNSIGNED_" + index, !source.params().range().signed())
                .put("ZERO_" + index, source.params().zeroPoint())
                .put("SCALE_" + index, source.params().scale());
    }

    private static boolean fits(int size, int wanted) {
        return size == wanted || size == 1;
    }

    private static void rounding(Constants constants, Elementwise node, List<QuantParams> sources) {
        QuantParams params = node.output().params();
        CodeRange bounds = node.output().bounds();
        boolean fused = CodeOperation.isFused(node.operation(), sources.size());
        int offset = params.range().signed() ? INT8_OFFSET : 0;
        float ratio = CodeOperation.of(node.operation(), sources, params, bounds).ratio();
        constants
                .put("FUSED", fused)
                .put("FACTOR", ratio)
                .put("ADDED", (float) (params.zeroPoint() + offset))
                .put("SCALE", params.scale())
                .put("ZERO", fused ? -offset : params.zeroPoint());
        ElementKernels.bounds(constants, bounds, fused ? offset : -params.zeroPoint());
    }
}
