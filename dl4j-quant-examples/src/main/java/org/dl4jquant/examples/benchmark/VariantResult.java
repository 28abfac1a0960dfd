// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.util.Properties;

/**
 * The accuracies of one variant of a network and the number of codes that differ.
 *
 * @param before its accuracy before the last training: of a quantized network after calibration
 * @param after its accuracy after the last training
 * @param differingCodes codes in which its engines, or it and an engine, differ; 0 in float
 */
record VariantResult(double before, double after, long differingCodes) {

    private static final String BEFORE = "accuracy.before";
    private static final String AFTER = "accuracy.after";
    private static final String DIFFERING = "codes.differing";

    void addTo(Properties properties) {
        properties.setProperty(BEFORE, Double.toString(before));
        properties.setProperty(AFTER, Double.toString(after));
        properties.setProperty(DIFFERING, Long.toString(differingCodes));
    }

    /**
     * {@return a result that {@link #addTo} wrote}
     *
     * @throws NumberFormatException if a figure is missing or is no number
     */
    static VariantResult from(Properties properties) {
        return new VariantResult(
                Double.parseDouble(properties.getProperty(BEFORE, "")),
                Double.parseDouble(properties.getProperty(AFTER, "")),
                Long.parseLong(properties.getProperty(DIFFERING, "")));
    }
}
