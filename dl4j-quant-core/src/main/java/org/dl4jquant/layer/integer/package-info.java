// SPDX-License-Identifier: Apache-2.0

/**
 * The integer forms of layers, vertices and preprocessors: for each, the inference of the network
 * and the nodes of the integer graph side by side in one class, so that the two cannot differ.
 *
 * <p>In: a DL4J configuration, and the tensors of a running layer ({@link
 * org.dl4jquant.layer.integer.LayerTensors}): its weights, its scales, and the codes of its input.
 * Out: an {@link org.dl4jquant.layer.integer.IntegerSupport}, which is a form or a refusal with a
 * remedy; and from a form the values of codes (in inference) or nodes (when a network is lowered).
 * A form knows no quantized layer, only values: {@code layer} runs the forms, and {@code lower}
 * walks a network and collects their nodes.
 */
@NullMarked
package org.dl4jquant.layer.integer;

import org.jspecify.annotations.NullMarked;
