// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.AttributeProto;
import org.dl4jquant.onnx.wire.AttributeType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;
import org.dl4jquant.onnx.wire.Numbers;

/**
 * An operator of an ONNX graph, read with checks.
 *
 * @param proto the operator as it stands in the file
 */
record OnnxNode(Message proto) {

    String operator() {
        return proto.get(NodeProto.OP_TYPE);
    }

    /** {@return the name of its one result} */
    String output() {
        requireOneOutput();
        return outputs().get(0);
    }

    /** Refuses operators of several results. */
    void requireOneOutput() {
        require(
                outputs().size() == 1 && !outputs().get(0).isEmpty(),
                "has the results %s; exactly one is understood",
                outputs());
    }

    String name() {
        return proto.get(NodeProto.NAME);
    }

    /** {@return whether it can clamp floats before they are quantized} */
    boolean isClamp() {
        return operator().equals(Operators.RELU) || operator().equals(Operators.CLIP);
    }

    String domain() {
        return proto.get(NodeProto.DOMAIN);
    }

    List<String> outputs() {
        return proto.get(NodeProto.OUTPUT);
    }

    List<String> inputs() {
        return proto.get(NodeProto.INPUT);
    }

    String input(int index) {
        return optionalInput(index)
                .orElseThrow(() -> refusal("has no input %d; it has %s", index, inputs()));
    }

    Optional<String> optionalInput(int index) {
        return index < inputs().size() && !inputs().get(index).isEmpty()
                ? Optional.of(inputs().get(index))
                : Optional.empty();
    }

    /** {@return the same operator with another first input} */
    OnnxNode reading(String first) {
        List<String> others = new ArrayList<>(inputs());
        others.set(0, first);
        return new OnnxNode(proto.toBuilder().set(NodeProto.INPUT, others).build());
    }

    void requireInputs(int least, int most) {
        require(
                inputs().size() >= least && inputs().size() <= most,
                "has the inputs %s; %d to %d are understood",
                inputs(),
                least,
                most);
    }

    /** Refuses attributes that would change the meaning without being read. */
    void requireAttributes(String... known) {
        require(
                attributes().stream().map(OnnxNode::name).distinct().count() == attributes().size(),
                "has an attribute twice");
        for (Message attribute : attributes()) {
            require(
                    Arrays.asList(known).contains(name(attribute)),
                    "has the attribute '%s'; understood are %s",
                    name(attribute),
                    Arrays.toString(known));
        }
    }

    int integer(String name, int otherwise) {
        return attribute(name, AttributeType.INT)
                .map(attribute -> exact(name, attribute.get(AttributeProto.I)))
                .orElse(otherwise);
    }

    /** Refuses an attribute that has another value than the one that is understood. */
    void requireInteger(String name, int otherwise, int understood) {
        int found = integer(name, otherwise);
        require(found == understood, "has %s = %d; only %d is understood", name, found, understood);
    }

    float number(String name, float otherwise) {
        return attribute(name, AttributeType.FLOAT)
                .map(attribute -> attribute.get(AttributeProto.F))
                .orElse(otherwise);
    }

    void requireOne(String name) {
        float found = number(name, 1);
        require(found == 1f, "has %s = %s; only 1 is understood", name, found);
    }

    /**
     * {@return the window of an operator over images}
     *
     * @param kernel the kernel, if no attribute says it
     * @param image one example's dimensions
     */
    Window window(Extent kernel, Shape image) {
        requireInteger("storage_order", 0, 0);
        require(
                image.isImage(),
                "reads %s; a two-dimensional operator reads images [channels, height, width]",
                image);
        int[] pads = integers("pads", new int[4]);
        Extent sizes = extent("kernel_shape", kernel);
        Window window =
                new Window(
                        sizes,
                        extent("strides", Extent.ONE),
                        extent("dilations", Extent.ONE),
                        new Extent(pads[0], pads[1]),
                        new Extent(pads[2], pads[3]));
        return WindowForm.padded(this, window, new Extent(image.size(1), image.size(2)));
    }

    /** {@return the window of a pool, which has no weights to tell the kernel} */
    Window window(Shape image) {
        require(
                attribute("kernel_shape", AttributeType.INTS).isPresent(),
                "has no attribute 'kernel_shape'");
        return window(Extent.ONE, image);
    }

    private Extent extent(String name, Extent otherwise) {
        int[] values = integers(name, new int[] {otherwise.height(), otherwise.width()});
        return new Extent(values[0], values[1]);
    }

    String text(String name, String otherwise) {
        return attribute(name, AttributeType.STRING)
                .map(attribute -> attribute.get(AttributeProto.S).text())
                .orElse(otherwise);
    }

    /** Refuses an attribute that has another text than the one that is understood. */
    void requireText(String name, String understood) {
        String found = text(name, understood);
        require(
                found.equals(understood),
                "has %s = %s; only %s is understood",
                name,
                found,
                understood);
    }

    /** {@return the numbers of an attribute that must be there} */
    int[] integers(String name, int length) {
        require(
                attribute(name, AttributeType.INTS)
                        .filter(attribute -> attribute.get(AttributeProto.INTS).size() == length)
                        .isPresent(),
                "has no attribute '%s' of %d numbers",
                name,
                length);
        return integers(name, new int[length]);
    }

    /** {@return the numbers of an attribute, however many; none if it is not there} */
    int[] allIntegers(String name) {
        return attribute(name, AttributeType.INTS)
                .map(
                        found ->
                                found.get(AttributeProto.INTS).stream()
                                        .mapToInt(value -> exact(name, value))
                                        .toArray())
                .orElse(new int[0]);
    }

    /** {@return the numbers of an attribute, or others of the same length if it is not there} */
    int[] integers(String name, int[] otherwise) {
        Optional<Message> attribute = attribute(name, AttributeType.INTS);
        if (attribute.isEmpty()) {
            return otherwise;
        }
        Numbers values = attribute.get().get(AttributeProto.INTS);
        require(
                values.size() == otherwise.length,
                "has %s = %s; such an operator has %d values",
                name,
                values,
                otherwise.length);
        return values.stream().mapToInt(value -> exact(name, value)).toArray();
    }

    private Optional<Message> attribute(String name, AttributeType type) {
        Optional<Message> found =
                attributes().stream().filter(attribute -> name(attribute).equals(name)).findFirst();
        found.ifPresent(
                attribute ->
                        require(
                                attribute.get(AttributeProto.TYPE) == type.number(),
                                "has the attribute '%s' of type %s; it must be %s",
                                name,
                                AttributeType.name(attribute.get(AttributeProto.TYPE)),
                                type));
        return found;
    }

    private List<Message> attributes() {
        return proto.get(NodeProto.ATTRIBUTE);
    }

    private static String name(Message attribute) {
        return attribute.get(AttributeProto.NAME);
    }

    private int exact(String what, long value) {
        require(
                value >= Integer.MIN_VALUE && value <= Integer.MAX_VALUE,
                "has %s = %d, which is outside 32 bits",
                what,
                value);
        return (int) value;
    }

    @FormatMethod
    void require(boolean condition, @FormatString String format, Object... args) {
        if (!condition) {
            throw refusal(format, args);
        }
    }

    @FormatMethod
    IllegalArgumentException refusal(@FormatString String format, Object... args) {
        return new IllegalArgumentException(
                "node '"
                        + proto.get(NodeProto.NAME)
                        + "' ("
                        + proto.get(NodeProto.OP_TYPE)
                        + ") "
                        + String.format(Locale.ROOT, format, args));
    }
}
