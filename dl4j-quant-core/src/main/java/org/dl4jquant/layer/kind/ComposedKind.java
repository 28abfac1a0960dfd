// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;

/** Preprocessors one after another, which move elements if all of them do. */
record ComposedKind(ComposableInputPreProcessor preprocessor) implements LayerKind {

    @Override
    public CodeFlow flow() {
        boolean moves =
                Arrays.stream(preprocessor.getInputPreProcessors())
                        .allMatch(part -> LayerKinds.of(part).flow() == CodeFlow.MOVES);
        return moves ? CodeFlow.MOVES : CodeFlow.UNKNOWN;
    }
}
