/**
 * Not ours: a place that DL4J 1.0.0-M2.1 looks at and finds empty. Holds the one class it looks
 * for, so that its layers find oneDNN; nothing of dl4j-quant uses it.
 */
@NullMarked
package org.nd4j.nativeblas;

import org.jspecify.annotations.NullMarked;
