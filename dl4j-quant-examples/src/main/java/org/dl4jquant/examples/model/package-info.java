// SPDX-License-Identifier: Apache-2.0
/** The networks of the examples and benchmarks, with random weights. */
@NullMarked
package org.dl4jquant.examples.model;

import org.jspecify.annotations.NullMarked;
