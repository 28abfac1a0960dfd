// SPDX-License-Identifier: Apache-2.0

/**
 * The integer graph to and from ONNX files in QDQ form, and the ONNX Runtime engine.
 *
 * <p>In: an {@code IntGraph}, or the bytes of an ONNX model. Out: the bytes of an ONNX model that
 * Netron shows and ONNX Runtime runs with integer kernels, an equal {@code IntGraph}, or an {@code
 * Engine}. Uses {@code engine}, {@code graph}, {@code scheme}, {@code numeric} and {@code check},
 * the ONNX protobuf classes inside nd4j-api, and, in the engine only, ONNX Runtime.
 */
@NullMarked
package org.dl4jquant.onnx;

import org.jspecify.annotations.NullMarked;
