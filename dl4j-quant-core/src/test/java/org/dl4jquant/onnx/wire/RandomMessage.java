// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Messages of a schema with random fields, nested a few levels deep. */
final class RandomMessage {

    private static final long[] INTEGERS = {
        1, -1, 127, 128, 300, 1L << 31, (1L << 35) - 1, Long.MAX_VALUE, Long.MIN_VALUE
    };
    private static final String[] TEXTS = {
        "a", "conv/weight", "größe", "\u4e2d\u6587", "\ud83d\ude00"
    };
    private static final int DEEPEST = 4;

    private final Random random;
    private final boolean defaults;

    /**
     * Makes a source of messages.
     *
     * @param seed the seed
     * @param defaults whether fields may be present with their default
     */
    RandomMessage(long seed, boolean defaults) {
        this.random = new Random(seed);
        this.defaults = defaults;
    }

    Message of(Schema schema) {
        return of(schema, 0);
    }

    private Message of(Schema schema, int depth) {
        MessageBuilder message = Message.builder(schema);
        for (Field<?> field : schema.fields()) {
            if (random.nextInt(3) > 0 && (depth < DEEPEST || field.kind() != Kind.MESSAGE)) {
                fill(message, field, depth);
            }
        }
        return message.build();
    }

    private void fill(MessageBuilder message, Field<?> field, int depth) {
        int count = field.isRepeated() ? random.nextInt(depth < 2 ? 4 : 2) : 1;
        for (int i = 0; i < count; i++) {
            if (field.kind().isNumber() && field.isRepeated()) {
                message.numbers(field).add(bits(field.kind()));
            } else if (field.isRepeated()) {
                message.list(field).add(value(field, depth));
            } else {
                message.put(field, value(field, depth));
            }
        }
    }

    private long bits(Kind kind) {
        return switch (kind) {
            case FLOAT -> Float.floatToRawIntBits(random.nextFloat() + 1) & 0xffff_ffffL;
            case DOUBLE -> Double.doubleToRawLongBits(random.nextGaussian());
            default -> kind.narrowed(integer());
        };
    }

    private long integer() {
        int kind = random.nextInt(INTEGERS.length + 1);
        return kind < INTEGERS.length ? INTEGERS[kind] : random.nextInt(1000) + 1;
    }

    private Object value(Field<?> field, int depth) {
        boolean zero = defaults && random.nextInt(4) == 0;
        if (field.kind() == Kind.MESSAGE) {
            return of(field.schema(), depth + 1);
        }
        if (field.kind() == Kind.TEXT) {
            return zero ? "" : TEXTS[random.nextInt(TEXTS.length)];
        }
        if (field.kind() == Kind.BYTES) {
            byte[] bytes = new byte[zero ? 0 : random.nextInt(200) + 1];
            random.nextBytes(bytes);
            return Bytes.of(bytes);
        }
        if (zero) {
            return field.kind().value(0);
        }
        long bits = bits(field.kind());
        return field.kind().value(bits == 0 ? 1 : bits);
    }

    /** All schemas that a model can hold, each once. */
    static List<Schema> schemas() {
        List<Schema> found = new ArrayList<>(List.of(ModelProto.SCHEMA));
        for (int i = 0; i < found.size(); i++) {
            for (Field<?> field : found.get(i).fields()) {
                if (field.kind() == Kind.MESSAGE && !found.contains(field.schema())) {
                    found.add(field.schema());
                }
            }
        }
        return found;
    }
}
