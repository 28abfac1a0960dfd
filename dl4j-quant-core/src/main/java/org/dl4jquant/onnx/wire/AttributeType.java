// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

/** The types of an attribute's value. */
public enum AttributeType {
    /** No type. */
    UNDEFINED(0),
    /** In {@link AttributeProto#F}. */
    FLOAT(1),
    /** In {@link AttributeProto#I}. */
    INT(2),
    /** In {@link AttributeProto#S}. */
    STRING(3),
    /** In {@link AttributeProto#T}. */
    TENSOR(4),
    /** In {@link AttributeProto#G}. */
    GRAPH(5),
    /** In {@link AttributeProto#FLOATS}. */
    FLOATS(6),
    /** In {@link AttributeProto#INTS}. */
    INTS(7),
    /** In {@link AttributeProto#STRINGS}. */
    STRINGS(8),
    /** In {@link AttributeProto#TENSORS}. */
    TENSORS(9),
    /** In {@link AttributeProto#GRAPHS}. */
    GRAPHS(10),
    /** In {@link AttributeProto#SPARSE_TENSOR}. */
    SPARSE_TENSOR(11),
    /** In {@link AttributeProto#SPARSE_TENSORS}. */
    SPARSE_TENSORS(12),
    /** In {@link AttributeProto#TP}. */
    TYPE_PROTO(13),
    /** In {@link AttributeProto#TYPE_PROTOS}. */
    TYPE_PROTOS(14);

    private final long number;

    AttributeType(long number) {
        this.number = number;
    }

    /** {@return the number in files} */
    public long number() {
        return number;
    }

    /**
     * {@return the name of the type that a number stands for, for messages}
     *
     * @param number a number of a file
     */
    public static String name(long number) {
        for (AttributeType type : values()) {
            if (type.number == number) {
                return type.name();
            }
        }
        return "number " + number;
    }
}
