// SPDX-License-Identifier: Apache-2.0
/**
 * The float parts of a model that is not integers only, as operators of ONNX.
 *
 * <p>An {@link org.dl4jquant.graph.IntGraph} has integers only; what stays in float beside it is a
 * list of {@link org.dl4jquant.graph.island.FloatIsland}s.
 */
@NullMarked
package org.dl4jquant.graph.island;

import org.jspecify.annotations.NullMarked;
