// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.dl4jquant.numeric.AxisIndices;

/**
 * One dimension of a transposed convolution: element {@code i} of the input adds to the elements
 * {@code stride * i + dilation * k - cut} of the result, for each element {@code k} of the kernel.
 *
 * @param size the length of the input
 * @param kernel the number of elements of the kernel
 * @param stride the step from what one element of the input adds to, to what the next adds to
 * @param dilation the distance of the kernel's elements
 * @param cut how many elements are cut off at the begin of the result
 * @param results the length of the result
 */
record TransposedSpan(int size, int kernel, int stride, int dilation, int cut, int results) {

    /**
     * Returns a dimension in DL4J's convolution mode.
     *
     * @param mode the mode; Same makes {@code stride} results of each element
     * @param size the length of the input
     * @param kernel the number of elements of the kernel
     * @param stride the step
     * @param dilation the distance of the kernel's elements
     * @param padding the configured padding, which is cut off on both sides; mode Same has its own
     * @return the dimension
     */
    static TransposedSpan of(
            ConvolutionMode mode, int size, int kernel, int stride, int dilation, int padding) {
        int reach = dilation * (kernel - 1) + 1;
        int all = stride * (size - 1) + reach;
        if (mode == ConvolutionMode.Same) {
            int results = stride * size;
            return new TransposedSpan(
                    size, kernel, stride, dilation, Math.max(0, all - results) / 2, results);
        }
        return new TransposedSpan(size, kernel, stride, dilation, padding, all - 2 * padding);
    }

    /** {@return the dimension that is not there} */
    static TransposedSpan single() {
        return new TransposedSpan(1, 1, 1, 1, 0, 1);
    }

    /** {@return how many elements of the input at most add to one of the result} */
    int taps() {
        return (dilation * (kernel - 1) + stride) / stride;
    }

    /**
     * {@return the windows of the convolution with a filter for each phase: result {@code i} has
     * the elements {@code stride * i} to {@code stride * (i + 1) - 1} of the transposed
     * convolution's, less what {@link #rest} cuts off}
     */
    WindowSpan windows() {
        int before = taps() - 1 - cut / stride;
        int positions = (cut % stride + results + stride - 1) / stride;
        return new WindowSpan(size, taps(), 1, 1, before, positions - size - before + taps() - 1);
    }

    /** {@return which elements of all phases are results} */
    AxisIndices rest() {
        return AxisIndices.range(cut % stride, cut % stride + results);
    }

    /**
     * {@return the element of the kernel that a phase multiplies by an element of a window; -1 if
     * none}
     *
     * @param phase the place of a result in its block
     * @param tap the place in the window
     */
    int element(int phase, int tap) {
        int at = phase + stride * (taps() - 1 - tap);
        return at % dilation == 0 && at / dilation < kernel ? at / dilation : -1;
    }
}
