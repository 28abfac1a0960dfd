// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/** A vertex that gives the elements of an example another shape. */
record ReshapeVertexKind(ReshapeVertex configuration) implements LayerKind {

    private static final int ALL_EXAMPLES = -1;

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }

    @Override
    public Resized reading(int axis, long... differences) {
        throw new IllegalArgumentException("it makes a fixed shape of what it reads");
    }

    @Override
    public IntegerSupport integers() {
        int[] sizes = configuration.getNewShape();
        boolean keepsBatch = sizes.length > 1 && sizes[0] == ALL_EXAMPLES;
        if (configuration.getReshapeOrder() != 'c'
                || !keepsBatch
                || Arrays.stream(sizes).skip(1).anyMatch(size -> size <= 0)) {
            return IntegerSupport.refused(
                    "it reshapes to "
                            + Arrays.toString(sizes)
                            + " in order '"
                            + configuration.getReshapeOrder()
                            + "'",
                    "reshape in order 'c' to -1 examples and sizes above 0");
        }
        Shape example = new Shape(Arrays.stream(sizes).skip(1).boxed().toList());
        return MoveForm.of(configuration, 0, shape -> IndexMap.identity(shape).reshaped(example));
    }
}
