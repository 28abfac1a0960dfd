// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.util.ConvolutionUtils;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.junit.jupiter.api.Test;

final class WindowSpanTest {

    private static List<Integer> elements(WindowSpan span, int window) {
        List<Integer> places = new ArrayList<>();
        for (int at = span.first(window); at < span.end(window); at += span.dilation()) {
            places.add(at);
        }
        return places;
    }

    @Property
    void windowsHoldTheElementsAtTheirPlaces(
            @ForAll ConvolutionMode mode,
            @ForAll @IntRange(min = 1, max = 12) int size,
            @ForAll @IntRange(min = 1, max = 4) int kernel,
            @ForAll @IntRange(min = 1, max = 5) int stride,
            @ForAll @IntRange(min = 1, max = 3) int dilation,
            @ForAll @IntRange(min = 0, max = 2) int padding) {
        WindowSpan span = WindowSpan.of(mode, size, kernel, stride, dilation, padding);
        for (int window = 0; window < span.results(); window++) {
            List<Integer> expected = new ArrayList<>();
            for (int element = 0; element < kernel; element++) {
                int place = window * stride - span.before() + element * dilation;
                if (place >= 0 && place < size) {
                    expected.add(place);
                }
            }
            assertEquals(expected, elements(span, window));
        }
    }

    @Property
    void modeSameMakesAsManyResultsAsDl4jAndTheNode(
            @ForAll @IntRange(min = 1, max = 20) int size,
            @ForAll @IntRange(min = 1, max = 5) int kernel,
            @ForAll @IntRange(min = 1, max = 6) int stride,
            @ForAll @IntRange(min = 1, max = 3) int dilation) {
        WindowSpan span = WindowSpan.of(ConvolutionMode.Same, size, kernel, stride, dilation, 0);
        assertEquals((size + stride - 1) / stride, span.results());
        if (span.before() >= 0) {
            Window window =
                    new Window(
                            Extent.square(kernel),
                            Extent.square(stride),
                            Extent.square(dilation),
                            Extent.square(span.before()),
                            Extent.square(span.after()));
            assertEquals(Extent.square(span.results()), window.over(Extent.square(size)));
        }
    }

    /** DL4J's own figure of the padding before an image, wherever windows begin at its edge. */
    @Property
    void padsAsDl4jDoes(
            @ForAll @IntRange(min = 1, max = 20) int size,
            @ForAll @IntRange(min = 1, max = 5) int kernel,
            @ForAll @IntRange(min = 1, max = 3) int dilation) {
        int[] before =
                ConvolutionUtils.getSameModeTopLeftPadding(
                        new int[] {size, size},
                        new int[] {size, size},
                        new int[] {kernel, kernel},
                        new int[] {1, 1},
                        new int[] {dilation, dilation});
        WindowSpan span = WindowSpan.of(ConvolutionMode.Same, size, kernel, 1, dilation, 0);
        assertEquals(before[0], span.before());
    }

    @Test
    void anElementThatNoWindowCoversIsNoPadding() {
        // Windows begin at 0 and 3; element 2 lies between them, and the last one is alone.
        WindowSpan span = WindowSpan.of(ConvolutionMode.Same, 6, 2, 3, 1, 7);
        assertEquals(2, span.results());
        assertEquals(List.of(3, 4), elements(span, 1));
        assertEquals(0, span.before());
        assertEquals(0, span.after());
    }

    @Test
    void oneWindowIsTheWholeImageOnlyWithoutPadding() {
        assertTrue(WindowSpan.of(ConvolutionMode.Truncate, 4, 4, 1, 1, 0).coversAll());
        assertFalse(WindowSpan.of(ConvolutionMode.Same, 4, 4, 1, 1, 0).coversAll());
    }
}
