// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import onnx.Onnx;
import org.junit.jupiter.api.Test;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.Descriptors.EnumValueDescriptor;
import org.nd4j.shade.protobuf.Descriptors.FieldDescriptor;
import org.nd4j.shade.protobuf.DynamicMessage;

/** Reader and writer against ND4J's protobuf classes, which are made for proto3. */
class WireOracleTest {

    private static final int MODELS = 300;

    @Test
    void givesProtobufTheBytesThatProtobufWrites() throws IOException {
        long bytes = 0;
        for (long seed = 0; seed < MODELS; seed++) {
            byte[] ours = new RandomMessage(seed, false).of(ModelProto.SCHEMA).toBytes();
            assertArrayEquals(ours, Onnx.ModelProto.parseFrom(ours).toByteArray(), "seed " + seed);
            bytes += ours.length;
        }
        assertTrue(bytes > 100L * MODELS, bytes + " bytes");
    }

    @Test
    void readsBackWhatItWroteWithThePresenceOfEveryField() {
        for (long seed = 0; seed < MODELS; seed++) {
            Message model = new RandomMessage(seed, true).of(ModelProto.SCHEMA);
            byte[] bytes = model.toBytes();
            assertEquals(bytes.length, model.size(), "seed " + seed);
            Message read = Message.read(ModelProto.SCHEMA, bytes);
            assertEquals(model, read, "seed " + seed);
            assertArrayEquals(bytes, read.toBytes(), "seed " + seed);
        }
    }

    @Test
    void withoutDefaultsHasTheBytesOfProto3() throws IOException {
        int shorter = 0;
        for (long seed = 0; seed < MODELS; seed++) {
            Message shape = new RandomMessage(seed, true).of(TensorShapeProto.SCHEMA);
            assertProto3(Onnx.TensorShapeProto.parseFrom(shape.toBytes()).toByteArray(), shape);
            Message tensor = new RandomMessage(seed, true).of(TensorProto.SCHEMA);
            tensor = tensor.toBuilder().clear(TensorProto.METADATA_PROPS).build();
            assertProto3(Onnx.TensorProto.parseFrom(tensor.toBytes()).toByteArray(), tensor);
            shorter += tensor.withoutDefaults().size() < tensor.size() ? 1 : 0;
        }
        assertTrue(shorter > MODELS / 4, shorter + " with a default");
    }

    private static void assertProto3(byte[] expected, Message message) {
        assertArrayEquals(expected, message.withoutDefaults().toBytes());
    }

    @Test
    void readsEveryFieldThatProtobufWrites() throws IOException {
        Random random = new Random(5);
        for (int i = 0; i < MODELS; i++) {
            DynamicMessage.Builder model =
                    DynamicMessage.newBuilder(Onnx.ModelProto.getDescriptor());
            fill(model, random, 0);
            byte[] theirs = model.build().toByteArray();
            Message read = Message.read(ModelProto.SCHEMA, theirs);
            assertArrayEquals(theirs, read.toBytes());
            assertNoneUnknown(read);
        }
    }

    private static void assertNoneUnknown(Message message) {
        assertEquals(List.of(), message.unknownFields(), message.toString());
        for (Field<?> field : message.schema().fields()) {
            Object value = message.value(field);
            if (value instanceof Message nested) {
                assertNoneUnknown(nested);
            } else if (field.kind() == Kind.MESSAGE && value instanceof List<?> list) {
                list.forEach(nested -> assertNoneUnknown((Message) nested));
            }
        }
    }

    private static void fill(DynamicMessage.Builder message, Random random, int depth) {
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            boolean nested = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
            if (random.nextInt(3) == 0 || (nested && depth > 3)) {
                continue;
            }
            if (field.isRepeated()) {
                for (int i = random.nextInt(3); i > 0; i--) {
                    message.addRepeatedField(field, value(message, field, random, depth));
                }
            } else {
                message.setField(field, value(message, field, random, depth));
            }
        }
    }

    private static Object value(
            DynamicMessage.Builder message, FieldDescriptor field, Random random, int depth) {
        return switch (field.getJavaType()) {
            case INT -> random.nextInt();
            case LONG -> random.nextLong() >> random.nextInt(64);
            case FLOAT -> random.nextFloat();
            case DOUBLE -> random.nextDouble();
            case BOOLEAN -> random.nextBoolean();
            case STRING -> "text " + random.nextInt();
            case BYTE_STRING -> ByteString.copyFromUtf8("bytes " + random.nextInt());
            case ENUM -> {
                List<EnumValueDescriptor> values = field.getEnumType().getValues();
                yield values.get(random.nextInt(values.size()));
            }
            case MESSAGE -> {
                DynamicMessage.Builder nested = message.newBuilderForField(field);
                fill(nested, random, depth + 1);
                yield nested.build();
            }
        };
    }

    @Test
    void knowsTheNameAndNumberOfEveryFieldOfProtobufsModel() {
        int compared = 0;
        for (FieldDescriptor theirs : Onnx.ModelProto.getDescriptor().getFields()) {
            compared += compare(ModelProto.SCHEMA, theirs, new ArrayList<>());
        }
        assertTrue(compared > 80, compared + " fields");
    }

    private static int compare(Schema schema, FieldDescriptor theirs, List<Object> seen) {
        Field<?> ours = schema.field(theirs.getNumber());
        assertTrue(ours != null, theirs.getFullName());
        assertEquals(theirs.getName(), ours.name(), theirs.getFullName());
        assertEquals(theirs.isRepeated(), ours.isRepeated(), theirs.getFullName());
        int compared = 1;
        if (ours.kind() == Kind.MESSAGE && !seen.contains(theirs.getMessageType())) {
            seen.add(theirs.getMessageType());
            for (FieldDescriptor nested : theirs.getMessageType().getFields()) {
                compared += compare(ours.schema(), nested, seen);
            }
        }
        return compared;
    }

    @Test
    void hasTheNumbersOfTheTypes() {
        for (Onnx.TensorProto.DataType type : Onnx.TensorProto.DataType.values()) {
            if (type != Onnx.TensorProto.DataType.UNRECOGNIZED) {
                assertEquals(type.name(), DataType.name(type.getNumber()));
            }
        }
        for (Onnx.AttributeProto.AttributeType type : Onnx.AttributeProto.AttributeType.values()) {
            if (type != Onnx.AttributeProto.AttributeType.UNRECOGNIZED) {
                assertEquals(type.name(), AttributeType.name(type.getNumber()));
            }
        }
        assertEquals(21, DataType.UINT4.number());
        assertEquals(22, DataType.INT4.number());
        assertEquals(23, DataType.FLOAT4E2M1.number());
        assertEquals(24, DataType.FLOAT8E8M0.number());
        assertEquals(26, DataType.INT2.number());
        assertEquals(3, DataType.INT4.rawBytes(5));
        assertEquals(2, DataType.INT2.rawBytes(5));
        assertEquals(20, DataType.FLOAT.rawBytes(5));
    }

    @Test
    void readsForeignFilesAsProtobufDoes() throws IOException {
        String named = System.getProperty("dl4jquant.data");
        Path data = named == null ? Path.of("..", "..", "shared", "data") : Path.of(named);
        Path folder = data.resolve("foreign-onnx");
        assumeTrue(
                Files.isDirectory(folder),
                () -> "not run: there are no foreign files in " + folder);
        int compared = 0;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".onnx")).sorted().toList()) {
                byte[] bytes = Files.readAllBytes(file);
                Message model = Message.read(ModelProto.SCHEMA, bytes);
                byte[] rewritten = model.toBytes();
                assertEquals(
                        Onnx.ModelProto.parseFrom(bytes),
                        Onnx.ModelProto.parseFrom(rewritten),
                        file.toString());
                assertEquals(model, Message.read(ModelProto.SCHEMA, rewritten), file.toString());
                assertNoneUnknown(model);
                compared++;
            }
        }
        System.out.printf("%d foreign files are read as protobuf reads them%n", compared);
        assertFalse(compared == 0, folder + " is empty");
    }
}
