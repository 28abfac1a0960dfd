// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

/** One way of writing that becomes another. */
interface Rewrite {

    /**
     * Rewrites an operator.
     *
     * @param op the operator, which reads what was rewritten before
     * @param graph the graph so far, which takes what it becomes
     * @return whether it did; else nothing has changed
     */
    boolean apply(Op op, Rewriting graph);
}
