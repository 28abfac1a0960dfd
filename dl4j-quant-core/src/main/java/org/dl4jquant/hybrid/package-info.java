// SPDX-License-Identifier: Apache-2.0
/**
 * Networks of which some steps stay in float, as ONNX models: outside of the promise of equal bits,
 * and only when asked for.
 */
@NullMarked
package org.dl4jquant.hybrid;

import org.jspecify.annotations.NullMarked;
