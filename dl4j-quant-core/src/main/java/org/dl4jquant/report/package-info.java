// SPDX-License-Identifier: Apache-2.0

/**
 * What was gained and what it cost: the comparison of the trained network with an engine, figures
 * as text and JSON.
 *
 * <p>In: networks, graphs, engines, data. Out: reports. It stands last, so it may use every other
 * package.
 */
@NullMarked
package org.dl4jquant.report;

import org.jspecify.annotations.NullMarked;
