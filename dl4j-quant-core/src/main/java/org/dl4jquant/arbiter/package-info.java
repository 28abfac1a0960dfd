// SPDX-License-Identifier: Apache-2.0

/**
 * Search over bit-widths with Arbiter, by training each candidate.
 *
 * <p>In: a float network, data, a {@link org.dl4jquant.arbiter.QuantSpecSpace} of schemes and one
 * of Arbiter's candidate generators. Out: for each candidate its accuracy after quantization-aware
 * training, its bytes and its time, in a folder from which a killed search goes on. Arbiter is an
 * optional dependency: who uses this package declares {@code org.deeplearning4j:arbiter-core}. May
 * use all packages up to {@code onnx}.
 */
@NullMarked
package org.dl4jquant.arbiter;

import org.jspecify.annotations.NullMarked;
