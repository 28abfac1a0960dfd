// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;

/**
 * The form of a layer whose kind becomes integers, but not with the quantizers that it has.
 *
 * @param obstacle the refusal
 */
record RefusedForm(IntegerSupport.Refusal obstacle) implements IntegerForm {

    /**
     * {@return the form of a layer whose result has the codes of its input, and so no quantizers}
     *
     * @param configuration the layer's configuration, for the message
     */
    static RefusedForm ofQuantizers(Object configuration) {
        return new RefusedForm(
                IntegerSupport.refused(
                        "there is no integer form of type "
                                + configuration.getClass().getSimpleName()
                                + " with quantizers of its own",
                        "leave it without quantizers, so that its result has its input's codes"));
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        throw obstacle.exception();
    }
}
