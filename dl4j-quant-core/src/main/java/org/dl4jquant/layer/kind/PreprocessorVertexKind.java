// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.dl4jquant.layer.integer.IntegerSupport;

/** A preprocessor as a configuration. */
record PreprocessorVertexKind(PreprocessorVertex configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return LayerKinds.of(configuration.getPreProcessor()).flow();
    }

    @Override
    public boolean passesValues() {
        return LayerKinds.of(configuration.getPreProcessor()).passesValues();
    }

    @Override
    public Resized reading(int axis, long... differences) {
        Resized inside = LayerKinds.of(configuration.getPreProcessor()).reading(axis, differences);
        return new Resized(
                new PreprocessorVertex((InputPreProcessor) inside.configuration()),
                inside.axis(),
                inside.difference());
    }

    @Override
    public Batches batches() {
        return LayerKinds.of(configuration.getPreProcessor()).batches();
    }

    @Override
    public IntegerSupport integers() {
        return LayerKinds.of(configuration.getPreProcessor()).integers();
    }
}
