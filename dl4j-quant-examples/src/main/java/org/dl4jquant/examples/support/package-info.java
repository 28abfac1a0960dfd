// SPDX-License-Identifier: Apache-2.0
/**
 * Calculations that several examples, commands and benchmarks share: accuracies, comparisons,
 * training with a falling learning rate, and percentages as text.
 */
@NullMarked
package org.dl4jquant.examples.support;

import org.jspecify.annotations.NullMarked;
