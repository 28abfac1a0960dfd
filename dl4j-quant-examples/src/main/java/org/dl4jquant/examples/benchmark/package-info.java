// SPDX-License-Identifier: Apache-2.0
/** Benchmarks of accuracy: each trains networks with several seeds and prints tables of means. */
@NullMarked
package org.dl4jquant.examples.benchmark;

import org.jspecify.annotations.NullMarked;
