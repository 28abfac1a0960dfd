// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;

/** The form of steps that change nothing in inference, such as dropout. */
public final class UnchangedForm implements IntegerForm {

    private UnchangedForm() {}

    /**
     * Returns the support of a layer that changes nothing in inference.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(Layer layer) {
        Require.given(layer, "layer");
        return IntegerSupport.of(
                tensors ->
                        tensors.isQuantized()
                                ? RefusedForm.ofQuantizers(layer)
                                : new UnchangedForm());
    }

    @Override
    public MaskUse maskUse() {
        return MaskUse.UNDERSTOOD;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        return inputs;
    }
}
