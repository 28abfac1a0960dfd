// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.planted.numeric;

import org.dl4jquant.planted.scheme.Innocent;

/** Uses a package that its row does not name. */
public record UsesScheme(Innocent innocent) {}
