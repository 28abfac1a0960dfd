// SPDX-License-Identifier: Apache-2.0
/**
 * What a layer's inference computes in float, as operators of ONNX: for layers that stay in float
 * in a model that is not integers only. It is near DL4J's result, not equal in every bit.
 */
@NullMarked
package org.dl4jquant.layer.floats;

import org.jspecify.annotations.NullMarked;
