// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A ReduceMean over the rows and columns of images: GlobalAveragePool. */
final class MeanOfImage implements Rewrite {

    private static final List<long[]> ROWS_AND_COLUMNS =
            List.of(new long[] {2, 3}, new long[] {-2, -1}, new long[] {3, 2}, new long[] {-1, -2});

    @Override
    public boolean apply(Op op, Rewriting graph) {
        if (!op.is("ReduceMean") || op.integer("keepdims", 1) < 0) {
            return false;
        }
        Optional<long[]> axes = op.integers("axes").or(() -> graph.integers(op.input(1)));
        boolean image =
                axes.filter(
                                found ->
                                        ROWS_AND_COLUMNS.stream()
                                                .anyMatch(a -> Arrays.equals(a, found)))
                        .isPresent();
        if (!image || op.output().isEmpty()) {
            return false;
        }
        List<String> input = List.of(op.input(0));
        if (op.integer("keepdims", 1) == 1) {
            graph.emit(Op.of("GlobalAveragePool", op.name(), input, op.output(), List.of()));
            return true;
        }
        String means = graph.emit("GlobalAveragePool", op.name(), input);
        graph.emit(Op.of("Flatten", op.name(), List.of(means), op.output(), List.of()));
        return true;
    }
}
