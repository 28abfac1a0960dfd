// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.dl4jquant.onnx.wire.AttributeProto;
import org.dl4jquant.onnx.wire.AttributeType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;
import org.dl4jquant.onnx.wire.Numbers;

/**
 * An operator of a file.
 *
 * @param proto the operator as it stands there
 */
record Op(Message proto) {

    static final String MICROSOFT = "com.microsoft";

    static Op of(
            String type,
            String name,
            List<String> inputs,
            String output,
            List<Message> attributes) {
        return new Op(
                Message.builder(NodeProto.SCHEMA)
                        .set(NodeProto.OP_TYPE, type)
                        .set(NodeProto.NAME, name)
                        .set(NodeProto.INPUT, inputs)
                        .set(NodeProto.OUTPUT, List.of(output))
                        .set(NodeProto.ATTRIBUTE, attributes)
                        .build());
    }

    String type() {
        return proto.get(NodeProto.OP_TYPE);
    }

    String name() {
        return proto.get(NodeProto.NAME);
    }

    String domain() {
        String domain = proto.get(NodeProto.DOMAIN);
        return domain.equals("ai.onnx") ? "" : domain;
    }

    /** {@return whether it is one of ONNX's own operators of a type} */
    boolean is(String type) {
        return domain().isEmpty() && type().equals(type);
    }

    List<String> inputs() {
        return proto.get(NodeProto.INPUT);
    }

    /** {@return the name of an input; empty if it is left out} */
    String input(int index) {
        return index < inputs().size() ? inputs().get(index) : "";
    }

    /** {@return the name of its first result; empty if it has none} */
    String output() {
        List<String> outputs = proto.get(NodeProto.OUTPUT);
        return outputs.isEmpty() ? "" : outputs.get(0);
    }

    List<String> outputs() {
        return proto.get(NodeProto.OUTPUT);
    }

    List<Message> attributes() {
        return proto.get(NodeProto.ATTRIBUTE);
    }

    Optional<Message> attribute(String name, AttributeType type) {
        return attributes().stream()
                .filter(attribute -> attribute.get(AttributeProto.NAME).equals(name))
                .filter(attribute -> attribute.get(AttributeProto.TYPE) == type.number())
                .findFirst();
    }

    boolean hasAttribute(String name) {
        return attributes().stream()
                .anyMatch(attribute -> attribute.get(AttributeProto.NAME).equals(name));
    }

    List<Message> attributesWithout(String... names) {
        return attributes().stream()
                .filter(attribute -> !List.of(names).contains(attribute.get(AttributeProto.NAME)))
                .toList();
    }

    long integer(String name, long otherwise) {
        return attribute(name, AttributeType.INT)
                .map(found -> found.get(AttributeProto.I))
                .orElse(otherwise);
    }

    float number(String name, float otherwise) {
        return attribute(name, AttributeType.FLOAT)
                .map(found -> found.get(AttributeProto.F))
                .orElse(otherwise);
    }

    Optional<long[]> integers(String name) {
        return attribute(name, AttributeType.INTS)
                .map(found -> found.get(AttributeProto.INTS).stream().toArray());
    }

    Op with(List<String> inputs, List<String> outputs, List<Message> attributes) {
        return new Op(
                proto.toBuilder()
                        .set(NodeProto.INPUT, inputs)
                        .set(NodeProto.OUTPUT, outputs)
                        .set(NodeProto.ATTRIBUTE, attributes)
                        .build());
    }

    Op withInputs(List<String> inputs) {
        return with(inputs, outputs(), attributes());
    }

    /** {@return the same operator as one of ONNX's own} */
    Op own() {
        return new Op(proto.toBuilder().clear(NodeProto.DOMAIN).build());
    }

    static Message attribute(String name, long value) {
        return Message.builder(AttributeProto.SCHEMA)
                .set(AttributeProto.NAME, name)
                .set(AttributeProto.TYPE, AttributeType.INT.number())
                .set(AttributeProto.I, value)
                .build();
    }

    static Message attribute(String name, long... values) {
        return Message.builder(AttributeProto.SCHEMA)
                .set(AttributeProto.NAME, name)
                .set(AttributeProto.TYPE, AttributeType.INTS.number())
                .set(AttributeProto.INTS, Numbers.of(values))
                .build();
    }

    @FormatMethod
    IllegalArgumentException refusal(@FormatString String format, Object... args) {
        return new IllegalArgumentException(
                "node '"
                        + name()
                        + "' ("
                        + type()
                        + ") "
                        + String.format(Locale.ROOT, format, args));
    }
}
