// SPDX-License-Identifier: Apache-2.0

/**
 * The integer graph: what a quantized network is once nothing of training is left.
 *
 * <p>In: nodes with codes and scales, from {@code lower} or from an ONNX file. Out: a verified
 * {@link org.dl4jquant.graph.IntGraph} whose every tensor has a known shape, scale and range, and
 * whose accumulators are proven not to overflow. Engines and file formats read it; nothing here
 * computes.
 *
 * <p>Conventions: every node has one result, which bears the node's name. Shapes leave out the
 * batch dimension, which is first and free. Images are channel, height, width. Pure Java: uses
 * {@code numeric} and {@code check}.
 */
@NullMarked
package org.dl4jquant.graph;

import org.jspecify.annotations.NullMarked;
