// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.planted.numeric;

import org.nd4j.linalg.api.ndarray.INDArray;

/** A class of a pure package that is not pure. */
public record UsesNd4j(INDArray values) {}
