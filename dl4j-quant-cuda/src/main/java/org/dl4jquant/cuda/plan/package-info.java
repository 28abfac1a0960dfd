// SPDX-License-Identifier: Apache-2.0

/**
 * From an integer graph to the list of launches that compute it, and the memory that they share.
 *
 * <p>In: an {@code IntGraph} and an architecture. Out: a {@link org.dl4jquant.cuda.plan.Plan}:
 * kernels in order with their arguments, packed weights, and the place of every tensor in one
 * arena. Nothing here needs a GPU. Uses {@code kernel}, and {@code numeric}, {@code graph}, {@code
 * check} of the core module.
 *
 * <p>The passes, in order: {@code Fusion} joins residual sums with the convolution that feeds them;
 * {@code FusedPools} joins max pools with the convolution that they read; {@code Siblings} joins
 * layers that read the same; {@code Slices} lets parts of a concatenation be written in place;
 * {@code Workshop}, with {@code Products}, chooses the kernels and orders their launches; {@code
 * MemoryPlan} gives tensors that are not alive together the same bytes.
 */
@NullMarked
package org.dl4jquant.cuda.plan;

import org.jspecify.annotations.NullMarked;
