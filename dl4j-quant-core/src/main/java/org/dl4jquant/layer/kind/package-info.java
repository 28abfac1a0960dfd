// SPDX-License-Identifier: Apache-2.0

/**
 * One class per kind of DL4J layer, vertex and preprocessor: all that the library knows about it.
 *
 * <p>{@link org.dl4jquant.layer.kind.LayerKinds} finds the {@link
 * org.dl4jquant.layer.kind.LayerKind} of a configuration by its exact class, because a subclass may
 * compute anything. A kind says what the step does to codes ({@link
 * org.dl4jquant.layer.kind.CodeFlow}), how its weights lie in memory, which axis of its result
 * numbers the channels, which function it applies last and which tensors inside can be rounded.
 * Nobody else asks a configuration for its class: a new kind of layer is one class here and one
 * line in {@code LayerKinds}. Uses {@code layer.quantizers}, {@code network}, {@code nd}, {@code
 * scheme} and {@code numeric}.
 */
@NullMarked
package org.dl4jquant.layer.kind;

import org.jspecify.annotations.NullMarked;
