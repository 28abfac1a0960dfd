// SPDX-License-Identifier: Apache-2.0

/**
 * Pictures for the examples: digits drawn in code, MNIST's own files, or a folder of images.
 *
 * <p>In: a seed, or a folder that the user names. Out: {@link
 * org.dl4jquant.examples.data.LabelledImages}, which hand out DL4J iterators and engine batches.
 * Nothing is ever downloaded.
 */
@NullMarked
package org.dl4jquant.examples.data;

import org.jspecify.annotations.NullMarked;
