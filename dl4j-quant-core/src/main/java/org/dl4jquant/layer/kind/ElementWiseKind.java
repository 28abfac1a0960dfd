// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Optional;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.floats.FloatForms;
import org.dl4jquant.layer.integer.CombinationForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.SumForm;

/** A vertex that combines tensors place by place. */
record ElementWiseKind(ElementWiseVertex configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return configuration.getOp() == ElementWiseVertex.Op.Add
                ? CodeFlow.ADDS
                : CodeFlow.COMBINES;
    }

    @Override
    public boolean keepsSign() {
        return configuration.getOp() != ElementWiseVertex.Op.Subtract;
    }

    @Override
    public IntegerSupport integers() {
        return flow() == CodeFlow.ADDS ? SumForm.support() : CombinationForm.of(configuration);
    }

    @Override
    public boolean takesMaximum() {
        return configuration.getOp() == ElementWiseVertex.Op.Max;
    }

    @Override
    public boolean multipliesTensors() {
        return configuration.getOp() == ElementWiseVertex.Op.Product;
    }

    @Override
    public Optional<FloatForm> floats() {
        return Optional.of(FloatForms.combination(configuration));
    }
}
