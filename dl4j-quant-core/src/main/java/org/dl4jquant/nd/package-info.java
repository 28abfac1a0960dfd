// SPDX-License-Identifier: Apache-2.0

/**
 * The only place that copies between INDArrays and Java arrays: it knows order, strides, offsets
 * and data types, so that nobody else must.
 *
 * <p>In: INDArrays of any order, views included. Out: Java arrays in row-major order ({@link
 * org.dl4jquant.nd.RowMajor}), or chunk after chunk in storage order for passes over whole tensors
 * ({@link org.dl4jquant.nd.Walk}, {@link org.dl4jquant.nd.FloatCursor}). {@link
 * org.dl4jquant.nd.Channels} says which axes of a tensor number its channels. Uses {@code check}
 * and ND4J only.
 */
@NullMarked
package org.dl4jquant.nd;

import org.jspecify.annotations.NullMarked;
