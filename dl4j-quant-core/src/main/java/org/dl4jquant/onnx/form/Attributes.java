// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import org.dl4jquant.onnx.wire.AttributeProto;
import org.dl4jquant.onnx.wire.AttributeType;
import org.dl4jquant.onnx.wire.Bytes;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.MessageBuilder;
import org.dl4jquant.onnx.wire.Numbers;

/** Makes attributes of operators. */
final class Attributes {

    private Attributes() {}

    static Message of(String name, long value) {
        return builder(name, AttributeType.INT).set(AttributeProto.I, value).build();
    }

    static Message of(String name, float value) {
        return builder(name, AttributeType.FLOAT).set(AttributeProto.F, value).build();
    }

    static Message of(String name, long... values) {
        return builder(name, AttributeType.INTS)
                .set(AttributeProto.INTS, Numbers.of(values))
                .build();
    }

    static Message of(String name, String text) {
        return builder(name, AttributeType.STRING)
                .set(AttributeProto.S, Bytes.ofText(text))
                .build();
    }

    static Message of(String name, Message graph) {
        return builder(name, AttributeType.GRAPH).set(AttributeProto.G, graph).build();
    }

    private static MessageBuilder builder(String name, AttributeType type) {
        return Message.builder(AttributeProto.SCHEMA)
                .set(AttributeProto.NAME, name)
                .set(AttributeProto.TYPE, type.number());
    }
}
