// SPDX-License-Identifier: Apache-2.0
/** Programs with options on the command line, and the quickstart, which is the first of them. */
@NullMarked
package org.dl4jquant.examples.cli;

import org.jspecify.annotations.NullMarked;
