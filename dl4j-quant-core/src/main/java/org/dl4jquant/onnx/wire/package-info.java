// SPDX-License-Identifier: Apache-2.0

/**
 * ONNX files by their wire format, in plain Java.
 *
 * <p>In: the bytes of an ONNX model. Out: a tree of {@link org.dl4jquant.onnx.wire.Message}s with
 * typed fields, and back again as bytes. The messages are those of {@code onnx.proto} up to IR
 * version 13, each in a class of its own that holds its fields ({@link
 * org.dl4jquant.onnx.wire.ModelProto}, {@link org.dl4jquant.onnx.wire.GraphProto}, and so on):
 *
 * <pre>{@code
 * Message model = Message.read(ModelProto.SCHEMA, bytes);
 * for (Message node : model.get(ModelProto.GRAPH).get(GraphProto.NODE)) {
 *     System.out.println(node.get(NodeProto.OP_TYPE));
 * }
 * }</pre>
 *
 * <p>The contract of reader and writer:
 *
 * <ul>
 *   <li><b>Presence.</b> ONNX is proto2: a field that is absent differs from one that holds its
 *       default. Each field that was read or set is written, and no other.
 *   <li><b>Unknown fields</b> (of newer IR versions) are kept with their bytes and written after
 *       the known ones, in the order in which they were found. A known field of another wire type,
 *       and groups, which ONNX has none of, are refused.
 *   <li><b>Determinism.</b> Known fields are written in the order of their numbers, repeated
 *       numbers packed; both packed and single ones are read. A second occurrence of a field that
 *       is not repeated replaces the first one, or, for a message, is merged into it.
 *   <li><b>No number of the file is trusted.</b> Lengths are checked before anything is allocated,
 *       byte strings are slices of the file, messages nest at most {@value
 *       org.dl4jquant.onnx.wire.Message#MAX_DEPTH} deep, and there are at most {@value
 *       org.dl4jquant.onnx.wire.Message#MAX_PARTS} messages and strings. A {@link
 *       org.dl4jquant.onnx.wire.MalformedMessageException} names offset and field.
 * </ul>
 */
@NullMarked
package org.dl4jquant.onnx.wire;

import org.jspecify.annotations.NullMarked;
