// SPDX-License-Identifier: Apache-2.0

/**
 * The integer graph to and from ONNX files in QDQ form, and the ONNX Runtime engine.
 *
 * <p>In: an {@code IntGraph}, or the bytes of an ONNX model. Out: the bytes of an ONNX model that
 * Netron shows and ONNX Runtime runs with integer kernels, an equal {@code IntGraph}, or an {@code
 * Engine}. The forms of the nodes stand in {@code onnx.form}, together with the keys of the model's
 * metadata; the bytes in {@code onnx.wire}. ONNX Runtime is used by the engine only, and ND4J by
 * nothing here.
 */
@NullMarked
package org.dl4jquant.onnx;

import org.jspecify.annotations.NullMarked;
