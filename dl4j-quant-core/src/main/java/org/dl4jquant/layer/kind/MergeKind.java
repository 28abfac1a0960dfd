// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Arrays;
import java.util.Optional;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.floats.FloatForms;
import org.dl4jquant.layer.integer.ConcatenationForm;
import org.dl4jquant.layer.integer.IntegerSupport;

/** A vertex that concatenates tensors. */
record MergeKind(MergeVertex configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.CONCATENATES;
    }

    @Override
    public Resized reading(int axis, long... differences) {
        return configuration.getMergeAxis() == axis
                ? new Resized(configuration, axis, Arrays.stream(differences).sum())
                : Sizes.following(configuration, axis, differences);
    }

    @Override
    public IntegerSupport integers() {
        return ConcatenationForm.of(configuration);
    }

    @Override
    public Optional<FloatForm> floats() {
        return Optional.of(FloatForms.concatenation(configuration));
    }
}
