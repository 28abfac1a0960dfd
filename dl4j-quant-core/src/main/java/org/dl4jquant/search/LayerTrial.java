// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tries each layer with each width alone, all others in float. */
final class LayerTrial {

    private static final Logger log = LoggerFactory.getLogger(LayerTrial.class);

    private LayerTrial() {}

    /** The score of a prepared network. */
    interface Harm {
        double of(MeasuredNetwork prepared);
    }

    static Sensitivities run(
            String measure, SearchedNetwork network, List<Integer> widths, Harm harm) {
        List<Integer> ascending = SearchedNetwork.ascending(widths);
        Map<String, List<Double>> scores = new LinkedHashMap<>();
        int done = 0;
        for (String layer : network.layers()) {
            List<Double> row = new ArrayList<>();
            for (int bits : ascending) {
                row.add(harm.of(network.prepareAlone(layer, bits)));
            }
            scores.put(layer, row);
            done++;
            log.info("  {}: layer {} of {}", measure, done, network.layers().size());
        }
        return new Sensitivities(measure, ascending, scores);
    }
}
