// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.SequenceForm;

/** Preprocessors one after another, which move elements if all of them do. */
record ComposedKind(ComposableInputPreProcessor configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        boolean moves =
                Arrays.stream(configuration.getInputPreProcessors())
                        .allMatch(part -> LayerKinds.of(part).flow() == CodeFlow.MOVES);
        return moves ? CodeFlow.MOVES : CodeFlow.UNKNOWN;
    }

    @Override
    public boolean passesValues() {
        return Arrays.stream(configuration.getInputPreProcessors())
                .allMatch(part -> LayerKinds.of(part).passesValues());
    }

    @Override
    public Batches batches() {
        Batches all = Batches.KEPT;
        for (InputPreProcessor part : configuration.getInputPreProcessors()) {
            Batches of = LayerKinds.of(part).batches();
            all = of == Batches.KEPT ? all : of;
        }
        return all;
    }

    @Override
    public IntegerSupport integers() {
        return SequenceForm.of(
                Arrays.stream(configuration.getInputPreProcessors())
                        .map(part -> LayerKinds.of(part).integers())
                        .toList());
    }
}
