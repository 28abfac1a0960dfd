// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.onnx.wire.Message;

/** The attributes of operators that slide a window over an image. */
final class WindowForm {

    private WindowForm() {}

    /**
     * {@return the attributes of a window}
     *
     * @param window the window
     * @param dilated whether the operator has dilations
     */
    static List<Message> attributes(Window window, boolean dilated) {
        List<Message> attributes =
                new ArrayList<>(
                        List.of(
                                pair("kernel_shape", window.kernel()),
                                pair("strides", window.stride()),
                                Attributes.of(
                                        "pads",
                                        window.before().height(),
                                        window.before().width(),
                                        window.after().height(),
                                        window.after().width())));
        if (dilated) {
            attributes.add(pair("dilations", window.dilation()));
        }
        return attributes;
    }

    /**
     * {@return a window with the padding that an operator's attributes auto_pad and ceil_mode ask
     * for}
     *
     * @param node the operator
     * @param window its window, with the padding of the attribute pads
     * @param image the extent of the image
     */
    static Window padded(OnnxNode node, Window window, Extent image) {
        Window padded =
                switch (node.text("auto_pad", "NOTSET")) {
                    case "NOTSET" -> window;
                    case "VALID" -> with(window, Extent.ZERO, Extent.ZERO);
                    case "SAME_UPPER" -> same(window, image, false);
                    case "SAME_LOWER" -> same(window, image, true);
                    default ->
                            throw node.refusal(
                                    "has auto_pad = %s; NOTSET, VALID, SAME_UPPER and SAME_LOWER are"
                                            + " understood",
                                    node.text("auto_pad", ""));
                };
        return node.integer("ceil_mode", 0) == 0 ? padded : roundedUp(node, padded, image);
    }

    private static Window with(Window window, Extent before, Extent after) {
        return new Window(window.kernel(), window.stride(), window.dilation(), before, after);
    }

    private static Window same(Window window, Extent image, boolean lower) {
        int height =
                total(
                        image.height(),
                        window.kernel().height(),
                        window.stride().height(),
                        window.dilation().height());
        int width =
                total(
                        image.width(),
                        window.kernel().width(),
                        window.stride().width(),
                        window.dilation().width());
        Extent less = new Extent(height / 2, width / 2);
        Extent more = new Extent(height - height / 2, width - width / 2);
        return lower ? with(window, more, less) : with(window, less, more);
    }

    private static int total(int size, int kernel, int stride, int dilation) {
        long results = (size + stride - 1L) / stride;
        long total = (results - 1) * stride + dilation * (kernel - 1L) + 1 - size;
        return (int) Math.min(Math.max(total, 0), Window.MAX_EXTENT + 1L);
    }

    /* A window that begins in the image or before it is one more; the rest of it is padding. */
    private static Window roundedUp(OnnxNode node, Window window, Extent image) {
        int rows =
                missing(
                        image.height(),
                        window.before().height(),
                        window.after().height(),
                        window.kernel().height(),
                        window.stride().height(),
                        window.dilation().height());
        int columns =
                missing(
                        image.width(),
                        window.before().width(),
                        window.after().width(),
                        window.kernel().width(),
                        window.stride().width(),
                        window.dilation().width());
        node.require(
                rows + columns == 0 || node.integer("count_include_pad", 0) == 0,
                "has ceil_mode = 1 and count_include_pad = 1 where a last window is cut, whose mean"
                        + " runtimes divide in different ways; use one of the two");
        return with(
                window,
                window.before(),
                new Extent(window.after().height() + rows, window.after().width() + columns));
    }

    private static int missing(
            int size, int before, int after, int kernel, int stride, int dilation) {
        long padded = (long) size + before + after;
        long reach = dilation * (kernel - 1L) + 1;
        long left = padded < reach ? 0 : (padded - reach) % stride;
        long next = padded - reach - left + stride;
        return left == 0 || next >= (long) size + before ? 0 : (int) (stride - left);
    }

    private static Message pair(String name, Extent extent) {
        return Attributes.of(name, extent.height(), extent.width());
    }
}
