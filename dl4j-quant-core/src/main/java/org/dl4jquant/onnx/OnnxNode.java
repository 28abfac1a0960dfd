// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.NodeProto;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;

/**
 * An operator of an ONNX graph, read with checks.
 *
 * @param proto the operator as it stands in the file
 */
record OnnxNode(NodeProto proto) {

    String operator() {
        return proto.getOpType();
    }

    /** {@return the name of its one result} */
    String output() {
        require(
                proto.getOutputCount() == 1 && !proto.getOutput(0).isEmpty(),
                "has the results %s; exactly one is understood",
                proto.getOutputList());
        return proto.getOutput(0);
    }

    List<String> inputs() {
        return proto.getInputList();
    }

    String input(int index) {
        return optionalInput(index)
                .orElseThrow(() -> refusal("has no input %d; it has %s", index, inputs()));
    }

    Optional<String> optionalInput(int index) {
        return index < proto.getInputCount() && !proto.getInput(index).isEmpty()
                ? Optional.of(proto.getInput(index))
                : Optional.empty();
    }

    void requireInputs(int least, int most) {
        require(
                proto.getInputCount() >= least && proto.getInputCount() <= most,
                "has the inputs %s; %d to %d are understood",
                inputs(),
                least,
                most);
    }

    /** Refuses attributes that would change the meaning without being read. */
    void requireAttributes(String... known) {
        require(
                proto.getAttributeList().stream().map(AttributeProto::getName).distinct().count()
                        == proto.getAttributeCount(),
                "has an attribute twice");
        for (AttributeProto attribute : proto.getAttributeList()) {
            require(
                    Arrays.asList(known).contains(attribute.getName()),
                    "has the attribute '%s'; understood are %s",
                    attribute.getName(),
                    Arrays.toString(known));
        }
    }

    int integer(String name, int otherwise) {
        return attribute(name, AttributeProto.AttributeType.INT)
                .map(attribute -> exact(name, attribute.getI()))
                .orElse(otherwise);
    }

    /** Refuses an attribute that has another value than the one that is understood. */
    void requireInteger(String name, int otherwise, int understood) {
        int found = integer(name, otherwise);
        require(found == understood, "has %s = %d; only %d is understood", name, found, understood);
    }

    float number(String name, float otherwise) {
        return attribute(name, AttributeProto.AttributeType.FLOAT)
                .map(AttributeProto::getF)
                .orElse(otherwise);
    }

    void requireOne(String name) {
        float found = number(name, 1);
        require(found == 1f, "has %s = %s; only 1 is understood", name, found);
    }

    /** Refuses padding that depends on the input's size, and sizes that are rounded up. */
    void requireExplicitPadding() {
        String padding =
                attribute("auto_pad", AttributeProto.AttributeType.STRING)
                        .map(attribute -> attribute.getS().toStringUtf8())
                        .orElse("NOTSET");
        require(
                padding.equals("NOTSET"),
                "has auto_pad = %s; only explicit pads are understood",
                padding);
        requireInteger("ceil_mode", 0, 0);
        requireInteger("storage_order", 0, 0);
    }

    Window window(Extent kernel) {
        requireExplicitPadding();
        int[] pads = integers("pads", new int[4]);
        Extent sizes = extent("kernel_shape", kernel);
        return new Window(
                sizes,
                extent("strides", Extent.ONE),
                extent("dilations", Extent.ONE),
                new Extent(pads[0], pads[1]),
                new Extent(pads[2], pads[3]));
    }

    /** {@return the window of a pool, which has no weights to tell the kernel} */
    Window window() {
        require(
                attribute("kernel_shape", AttributeProto.AttributeType.INTS).isPresent(),
                "has no attribute 'kernel_shape'");
        return window(Extent.ONE);
    }

    private Extent extent(String name, Extent otherwise) {
        int[] values = integers(name, new int[] {otherwise.height(), otherwise.width()});
        return new Extent(values[0], values[1]);
    }

    /** Refuses an attribute that has another text than the one that is understood. */
    void requireText(String name, String understood) {
        String found =
                attribute(name, AttributeProto.AttributeType.STRING)
                        .map(attribute -> attribute.getS().toStringUtf8())
                        .orElse(understood);
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
                attribute(name, AttributeProto.AttributeType.INTS)
                        .filter(attribute -> attribute.getIntsCount() == length)
                        .isPresent(),
                "has no attribute '%s' of %d numbers",
                name,
                length);
        return integers(name, new int[length]);
    }

    private int[] integers(String name, int[] otherwise) {
        Optional<AttributeProto> attribute = attribute(name, AttributeProto.AttributeType.INTS);
        if (attribute.isEmpty()) {
            return otherwise;
        }
        List<Long> values = attribute.get().getIntsList();
        require(
                values.size() == otherwise.length,
                "has %s = %s; two-dimensional operators have %d values",
                name,
                values,
                otherwise.length);
        return values.stream().mapToInt(value -> exact(name, value)).toArray();
    }

    private Optional<AttributeProto> attribute(String name, AttributeProto.AttributeType type) {
        Optional<AttributeProto> found =
                proto.getAttributeList().stream()
                        .filter(attribute -> attribute.getName().equals(name))
                        .findFirst();
        found.ifPresent(
                attribute ->
                        require(
                                attribute.getType() == type,
                                "has the attribute '%s' of type %s; it must be %s",
                                name,
                                attribute.getType(),
                                type));
        return found;
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
                        + proto.getName()
                        + "' ("
                        + proto.getOpType()
                        + ") "
                        + String.format(Locale.ROOT, format, args));
    }
}
