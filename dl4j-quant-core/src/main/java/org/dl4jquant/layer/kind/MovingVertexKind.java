// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.dl4jquant.layer.integer.DuplicateForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.layer.integer.UnstackForm;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * A vertex that moves elements: of sequences along the time axis, or of a stack of batches.
 *
 * @param configuration the configuration
 * @param integers its integer form, for sequences without masks
 */
record MovingVertexKind(GraphVertex configuration, IntegerSupport integers) implements LayerKind {

    private static final int SEQUENCE_RANK = 2;
    private static final int TIME = 1;

    static LayerKind of(LastTimeStepVertex vertex) {
        return new MovingVertexKind(
                vertex, MoveForm.of(vertex, SEQUENCE_RANK, MovingVertexKind::lastStep));
    }

    static LayerKind of(ReverseTimeSeriesVertex vertex) {
        return new MovingVertexKind(
                vertex, MoveForm.of(vertex, SEQUENCE_RANK, MovingVertexKind::reversed));
    }

    static LayerKind of(DuplicateToTimeSeriesVertex vertex) {
        return new MovingVertexKind(vertex, DuplicateForm.of(vertex.getInputName()));
    }

    /* It drops the first row and the first column. */
    static LayerKind of(PoolHelperVertex vertex) {
        return new MovingVertexKind(
                vertex,
                MoveForm.of(
                        vertex,
                        Shape.IMAGE_RANK,
                        MoveForm.ofLastAxes(2, (axis, size) -> AxisIndices.range(1, size))));
    }

    static LayerKind of(UnstackVertex vertex) {
        return new MovingVertexKind(
                vertex, UnstackForm.of(vertex.getFrom(), vertex.getStackSize()));
    }

    private static IndexMap lastStep(Shape sequence) {
        int steps = sequence.size(TIME);
        return IndexMap.select(sequence, TIME, AxisIndices.range(steps - 1, steps))
                .reshaped(Shape.of(sequence.size(0)));
    }

    private static IndexMap reversed(Shape sequence) {
        int steps = sequence.size(TIME);
        int[] backwards = IntStream.range(0, steps).map(step -> steps - 1 - step).toArray();
        return IndexMap.select(sequence, TIME, AxisIndices.of(backwards));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }

    @Override
    public Batches batches() {
        return configuration instanceof UnstackVertex ? Batches.APART : Batches.KEPT;
    }
}
