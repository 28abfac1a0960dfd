// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.QuantParams;

/**
 * Means of codes over images and over windows of them, {@link CodeMean}, on the values of codes.
 *
 * @param input how the codes that are averaged stand for values
 * @param output how the means' codes stand for values
 */
record ImageMeans(QuantParams input, QuantParams output) {

    /**
     * Averages whole images.
     *
     * @param values images, one after the other, row by row
     * @param means takes one mean for each image; NaN if one of its values is
     */
    void ofImages(float[] values, float[] means) {
        int size = values.length / means.length;
        float multiplier = CodeMean.multiplier(input, output, size);
        for (int image = 0; image < means.length; image++) {
            int sum = 0;
            boolean numbers = true;
            for (int i = image * size; i < (image + 1) * size; i++) {
                numbers &= !Float.isNaN(values[i]);
                sum += input.quantize(values[i]) - input.zeroPoint();
            }
            means[image] =
                    numbers
                            ? output.dequantize(CodeMean.ofImage(sum, multiplier, output))
                            : Float.NaN;
        }
    }

    /**
     * Averages windows of images.
     *
     * @param values images, one after the other, row by row; changed to the values of their codes
     * @param windows the windows of one image
     * @param countPadding whether padding counts as values 0
     * @param means takes the means of all windows, row by row
     */
    void ofWindows(float[] values, Windows windows, boolean countPadding, float[] means) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isNaN(values[i])) {
                values[i] = input.dequantize(input.quantize(values[i]));
            }
        }
        int size = windows.rows.size() * windows.columns.size();
        int at = 0;
        for (int image = 0; at < means.length; image += size) {
            for (int y = 0; y < windows.rows.results(); y++) {
                for (int x = 0; x < windows.columns.results(); x++) {
                    float sum = windows.sum(values, image, y, x);
                    int count = windows.count(y, x, countPadding);
                    int code = CodeMean.ofWindow(sum, count, output);
                    means[at++] = Float.isNaN(sum) ? sum : output.dequantize(code);
                }
            }
        }
    }

    /**
     * The windows of an image.
     *
     * @param rows where they begin and end vertically
     * @param columns the same horizontally
     */
    record Windows(WindowSpan rows, WindowSpan columns) {

        /* In float32 and row by row, as the engines do it. */
        float sum(float[] values, int image, int y, int x) {
            float sum = 0;
            for (int row = rows.first(y); row < rows.end(y); row++) {
                int line = image + row * columns.size();
                for (int i = line + columns.first(x); i < line + columns.end(x); i++) {
                    sum += values[i];
                }
            }
            return sum;
        }

        int count(int y, int x, boolean countPadding) {
            return countPadding
                    ? rows.kernel() * columns.kernel()
                    : (rows.end(y) - rows.first(y)) * (columns.end(x) - columns.first(x));
        }

        /** {@return whether one window is the whole image, which engines average as an image} */
        boolean coverAll() {
            return rows.coversAll() && columns.coversAll();
        }
    }
}
