/**
 * What other tools write, brought to the QDQ form that {@code onnx.form} reads: operators of codes
 * (QOperator format), constants that are computed, biases in float32, attributes of older versions
 * of ONNX's operators. Each change keeps what the file means; names of operators stay, so that
 * messages name what stands in the file. What is not understood is left as it is.
 */
@NullMarked
package org.dl4jquant.onnx.foreign;

import org.jspecify.annotations.NullMarked;
