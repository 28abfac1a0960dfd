// SPDX-License-Identifier: Apache-2.0

/**
 * What a training shows of a network's quantizers: scales, saturation, rounding noise, gradients.
 *
 * <p>In: a quantized network from {@code prepare} that trains with plain {@code fit}, and listens.
 * Out: {@link org.dl4jquant.monitor.QuantizerStatistics} to a log, a file, or DL4J's training UI.
 * Nothing here changes the training. May use everything up to {@code prepare}, and, only for the
 * UI, DL4J's {@code deeplearning4j-ui-model}, which users add themselves.
 */
@NullMarked
package org.dl4jquant.monitor;

import org.jspecify.annotations.NullMarked;
