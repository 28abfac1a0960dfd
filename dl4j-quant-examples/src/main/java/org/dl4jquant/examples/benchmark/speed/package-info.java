// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks of time and memory: training iterations, inference, and the exact search for
 * bit-widths.
 */
@NullMarked
package org.dl4jquant.examples.benchmark.speed;

import org.jspecify.annotations.NullMarked;
