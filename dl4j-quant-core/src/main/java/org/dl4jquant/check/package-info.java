// SPDX-License-Identifier: Apache-2.0

/**
 * Argument checks whose messages are formatted and checked at compile time.
 *
 * <p>In: a condition and a message. Out: nothing, or an exception that says where, what was found,
 * what is allowed and what to do. Uses nothing; every package may use it.
 */
@NullMarked
package org.dl4jquant.check;

import org.jspecify.annotations.NullMarked;
