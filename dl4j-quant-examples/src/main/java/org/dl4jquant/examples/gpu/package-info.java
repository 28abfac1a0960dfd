// SPDX-License-Identifier: Apache-2.0
/**
 * Programs for NVIDIA GPUs: compiling engines, forecasting their speed, and packing a folder that
 * runs on a machine with a GPU and nothing else.
 */
@NullMarked
package org.dl4jquant.examples.gpu;

import org.jspecify.annotations.NullMarked;
