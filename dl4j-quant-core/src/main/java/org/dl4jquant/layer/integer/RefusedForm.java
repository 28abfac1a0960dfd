// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;

/**
 * The form of a layer whose kind becomes integers, but not with the quantizers that it has.
 *
 * @param obstacle the refusal
 */
record RefusedForm(IntegerSupport.Refusal obstacle) implements IntegerForm {

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        throw obstacle.exception();
    }
}
