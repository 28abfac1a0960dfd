// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Map;
import org.dl4jquant.layer.ActivationScheme;
import org.dl4jquant.layer.LayerQuantizers;

/**
 * Which tensor of a network is rounded where.
 *
 * @param network the network, layers that become one joined
 * @param wrapped the quantizers of each layer that gets some, by step
 * @param inserted the quantizers that stand behind vertices that are no layers, by vertex
 * @param report what became of each layer, and why
 */
record Plan(
        FloatNetwork network,
        Map<String, LayerQuantizers> wrapped,
        Map<String, ActivationScheme> inserted,
        PrepareReport report) {

    /** What the name of the quantizer behind a vertex ends with. */
    static final String QUANTIZED = "/quantized";
}
