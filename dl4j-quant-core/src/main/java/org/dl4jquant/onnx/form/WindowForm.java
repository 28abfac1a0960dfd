// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.graph.node.Window;
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

    private static Message pair(String name, Window.Extent extent) {
        return Attributes.of(name, extent.height(), extent.width());
    }
}
