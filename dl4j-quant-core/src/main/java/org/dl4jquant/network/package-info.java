// SPDX-License-Identifier: Apache-2.0
/** One view of both kinds of DL4J network: their steps, and what these are called. */
@NullMarked
package org.dl4jquant.network;

import org.jspecify.annotations.NullMarked;
