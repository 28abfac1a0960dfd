// SPDX-License-Identifier: Apache-2.0

/**
 * The ONNX form of each node: one class for both directions.
 *
 * <p>In: an {@code IntGraph}, or the graph of an ONNX model as {@code onnx.wire} reads it. Out: the
 * other of the two. {@link org.dl4jquant.onnx.form.NodeForm} says how a form works; {@link
 * org.dl4jquant.onnx.form.Forms} lists them, and with them the operators that are understood. A new
 * kind of node is one more class there.
 *
 * <p>Most forms are QDQ: the inputs are dequantized, an operator of ONNX computes, the result is
 * quantized, and ONNX Runtime fuses the three. All codes are uint8; signed ones stand 128 higher,
 * with their zero point. What ONNX cannot say stands in the model's {@code metadata_props}, plain
 * keys and values that any tool shows; keys that are not understood are refused:
 *
 * <table>
 * <caption>Keys</caption>
 * <tr><th>key</th><th>value</th></tr>
 * <tr><td>{@code dl4jquant.sha256}</td><td>SHA-256 of graph and other keys, see {@link
 * org.dl4jquant.onnx.form.Provenance#hash}; a file without it is read unchecked</td></tr>
 * <tr><td>{@code dl4jquant.range.<node>}</td><td>the least and the greatest code of the node's
 * result, as in {@code -7 7}, if these are not 0 and 255</td></tr>
 * <tr><td>{@code dl4jquant.weights.<node>}</td><td>the same for the node's weights, if these are not
 * -127 and 127</td></tr>
 * <tr><td>{@code dl4jquant.input.<input>}</td><td>the input's place among all nodes, if inputs do
 * not come first</td></tr>
 * <tr><td>{@code dl4jquant.function.<output>}</td><td>the functions that an engine applies to the
 * output's scores, in order</td></tr>
 * <tr><td>{@code dl4jquant.tail.<output>}</td><td>the name of the values of these functions, if the
 * model computes them, too, in float32</td></tr>
 * </table>
 */
@NullMarked
package org.dl4jquant.onnx.form;

import org.jspecify.annotations.NullMarked;
