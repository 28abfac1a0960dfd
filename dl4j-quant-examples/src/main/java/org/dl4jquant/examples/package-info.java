/**
 * One class with one linear {@code main} for each story. They use the library as its users do:
 * through public types.
 */
@NullMarked
package org.dl4jquant.examples;

import org.jspecify.annotations.NullMarked;
