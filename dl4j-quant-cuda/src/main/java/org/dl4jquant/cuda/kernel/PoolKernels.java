// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.QuantParams;

/** The kernels that look at windows of each channel; their arguments: codes, codes. */
public final class PoolKernels {

    private static final int INT8_OFFSET = 128;

    private PoolKernels() {}

    /**
     * {@return the kernel of the largest code of each window}
     *
     * @param image where the input lies
     * @param params how its codes stand for values, and the result's, too
     * @param window kernel, stride, dilation, padding
     * @param pitch bytes from one pixel of the result to the next
     */
    public static KernelSpec max(ImageLayout image, QuantParams params, Window window, int pitch) {
        return windows(image, params, window, pitch, new Constants().put("MEAN", false));
    }

    /**
     * {@return the kernel of the mean of each window}
     *
     * @param image where the input lies
     * @param params how its codes stand for values
     * @param node the pool, which does not cover its image
     * @param pitch bytes from one pixel of the result to the next
     */
    public static KernelSpec mean(
            ImageLayout image, QuantParams params, AveragePool node, int pitch) {
        QuantParams result = node.params();
        CodeMean.windowRatio(params, result); // refuses what could leave int32
        int offset = result.range().signed() ? INT8_OFFSET : 0;
        Constants constants =
                new Constants()
                        .put("MEAN", true)
                        .put("COUNT_PADDING", node.countPadding())
                        .put("IN_SCALE", params.scale())
                        .put("IN_ZERO", params.zeroPoint())
                        .put("OUT_SCALE", result.scale())
                        .put("OUT_ZERO", (float) (result.zeroPoint() + offset))
                        .put("OUT_UNSIGNED", !result.range().signed());
        ElementKernels.bounds(constants, result.range(), offset);
        return windows(image, params, node.window(), pitch, constants);
    }

    /**
     * {@return the kernel of the mean of each channel}
     *
     * @param image where the input lies
     * @param params how its codes stand for values
     * @param result how the result's codes stand for values
     * @param pitch bytes from one example of the result to the next
     */
    public static KernelSpec meanOfImage(
            ImageLayout image, QuantParams params, QuantParams result, int pitch) {
        int pixels = Math.toIntExact(ElementKernels.pixels(image));
        Constants constants =
                new Constants()
                        .put("CHANNELS", image.channels())
                        .put("PIXELS", pixels)
                        .put("IN_PITCH", image.pitch())
                        .put("OUT_PITCH", pitch)
                        .put("UNSIGNED", !params.range().signed())
                        .put("IN_ZERO", params.zeroPoint())
                        .put("OUT_ZERO", result.zeroPoint())
                        .put("MULTIPLIER", CodeMean.multiplier(params, result, pixels));
        ElementKernels.bounds(constants, result.range(), -result.zeroPoint());
        return ElementKernels.kernel("mean.cu", constants, words(image), 0);
    }

    private static KernelSpec windows(
            ImageLayout image, QuantParams params, Window window, int pitch, Constants constants) {
        Window.Extent result = window.over(new Window.Extent(image.height(), image.width()));
        constants
                .put("CHANNELS", image.channels())
                .put("HEIGHT", image.height())
                .put("WIDTH", image.width())
                .put("IN_PITCH", image.pitch())
                .put("OUT_PITCH", pitch)
                .put("UNSIGNED", !params.range().signed())
                .put("KERNEL", window.kernel())
                .put("STRIDE", window.stride())
                .put("DILATION", window.dilation())
                .put("OUT", result)
                .put("PAD_TOP", window.before().height())
                .put("PAD_LEFT", window.before().width());
        long units = words(image) * result.height() * result.width();
        return ElementKernels.kernel("pool.cu", constants, units, 0);
    }

    private static long words(ImageLayout image) {
        return ElementKernels.over(image.channels(), Integer.BYTES);
    }
}
