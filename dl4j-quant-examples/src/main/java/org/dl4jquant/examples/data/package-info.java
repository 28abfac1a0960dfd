// SPDX-License-Identifier: Apache-2.0

/**
 * Data for the examples: digits drawn in code, MNIST's own files, or a folder of images; and
 * sequences of numbers.
 *
 * <p>In: a seed, or a folder that the user names. Out: {@link
 * org.dl4jquant.examples.data.LabelledImages}, which hand out DL4J iterators and engine batches, or
 * {@link org.dl4jquant.examples.data.MarkedSums}. Nothing is ever downloaded.
 */
@NullMarked
package org.dl4jquant.examples.data;

import org.jspecify.annotations.NullMarked;
