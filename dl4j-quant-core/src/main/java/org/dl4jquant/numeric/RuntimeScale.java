// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

/** Which values share a scale that is found in them at run time (dynamic quantization). */
public enum RuntimeScale {

    /**
     * Those of one row: one example, or one step of a sequence. An example's codes do not depend on
     * the others of its batch.
     */
    PER_ROW,

    /**
     * All values of a batch, as ONNX's DynamicQuantizeLinear has it. An example's codes depend on
     * the others of its batch: the same example gets other results in another batch.
     */
    PER_BATCH
}
