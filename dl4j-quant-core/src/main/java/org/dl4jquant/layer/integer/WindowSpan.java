// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.AxisIndices;

/**
 * One dimension of the windows that a kernel covers of an image, with explicit padding.
 *
 * @param size the length of the image
 * @param kernel the number of elements of a window
 * @param stride the step from window to window
 * @param dilation the distance of a window's elements
 * @param before the padding before the image; below 0, the number of elements skipped there
 * @param after the padding after it
 */
public record WindowSpan(int size, int kernel, int stride, int dilation, int before, int after) {

    /**
     * Returns the windows of a dimension in DL4J's convolution mode.
     *
     * <p>Mode Causal pads only before the image, so that no window sees what comes after its last
     * element. Mode Same makes {@code ceil(size / stride)} results. An odd sum of padding has its
     * larger half after the image; a sum of -1 is an element that no window covers. Where strides
     * leave more elements out, DL4J centres the windows.
     *
     * @param mode the mode
     * @param size the length of the image
     * @param kernel the number of elements of a window
     * @param stride the step
     * @param dilation the distance of a window's elements
     * @param padding the configured padding, on both sides; modes Same and Causal have their own
     * @return the windows
     */
    public static WindowSpan of(
            ConvolutionMode mode, int size, int kernel, int stride, int dilation, int padding) {
        if (Require.given(mode, "mode") == ConvolutionMode.Causal) {
            return new WindowSpan(size, kernel, stride, dilation, dilation * (kernel - 1), 0);
        }
        if (mode != ConvolutionMode.Same) {
            return new WindowSpan(size, kernel, stride, dilation, padding, padding);
        }
        int results = (size + stride - 1) / stride;
        int reach = dilation * (kernel - 1) + 1;
        int sum = (results - 1) * stride + reach - size;
        return new WindowSpan(size, kernel, stride, dilation, sum / 2, (sum + 1) / 2);
    }

    /** {@return the number of windows} */
    public int results() {
        return (size + before + after - reach()) / stride + 1;
    }

    /** {@return the number of places from the first element of a window to its last} */
    int reach() {
        return dilation * (kernel - 1) + 1;
    }

    /** {@return the windows of a dimension that is not there: one, of one element} */
    static WindowSpan single() {
        return new WindowSpan(1, 1, 1, 1, 0, 0);
    }

    /**
     * {@return the element at a place of the padded image; {@link AxisIndices#ZERO} in the padding}
     *
     * @param place from 0, the first element of the first window
     */
    int source(int place) {
        int at = place - before;
        return at >= 0 && at < size ? at : AxisIndices.ZERO;
    }

    /** {@return whether one window is the whole image} */
    boolean coversAll() {
        return kernel == size && before == 0 && after == 0;
    }

    /**
     * {@return the place of a window's first element that lies in the image; the others follow at
     * distances of the dilation}
     *
     * @param window the window's number
     */
    public int first(int window) {
        int start = window * stride - before;
        return start < 0 ? Math.floorMod(start, dilation) : start;
    }

    /**
     * {@return a place after all elements of a window, at most the length of the image}
     *
     * @param window the window's number
     */
    public int end(int window) {
        return Math.min(window * stride - before + reach(), size);
    }
}
