// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.FreeSteps;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's features as what engines take. */
public final class EngineInputs {

    private EngineInputs() {}

    /**
     * {@return the features as one batch for each of the graph's inputs, by name}
     *
     * @param graph the graph
     * @param features one array for each input of the graph, in the graph's order, which is that of
     *     the network's inputs, batch dimension first, any order and strides
     * @throws IllegalArgumentException if there are too few or too many arrays, or one has not the
     *     shape that its input takes
     */
    public static Map<String, Batch.Floats> of(IntGraph graph, INDArray... features) {
        Require.given(graph, "graph");
        Require.given(features, "features");
        List<Input> inputs = graph.inputs();
        Require.argument(
                inputs.size() == features.length,
                "%d arrays of features for the graph's %d inputs %s; give one for each, in order",
                features.length,
                inputs.size(),
                inputs.stream().map(Input::name).toList());
        Map<String, Batch.Floats> batches = new LinkedHashMap<>();
        for (int i = 0; i < features.length; i++) {
            Require.argument(
                    features[i] != null,
                    "the features for input '%s' are null; give an array for each of the graph's"
                            + " inputs",
                    inputs.get(i).name());
            batches.put(inputs.get(i).name(), batch(inputs.get(i), features[i]));
        }
        return batches;
    }

    /**
     * {@return whether an array is a batch of examples of a shape}
     *
     * @param array the array
     * @param examples how many examples it must have
     * @param shape one example's dimensions
     */
    static boolean hasExamples(INDArray array, long examples, Shape shape) {
        boolean fits = array.rank() == shape.rank() + 1 && array.size(0) == examples;
        for (int axis = 0; fits && axis < shape.rank(); axis++) {
            fits = array.size(axis + 1) == shape.size(axis);
        }
        return fits;
    }

    private static Batch.Floats batch(Input input, INDArray features) {
        long examples = features.rank() == 0 ? 0 : features.size(0);
        Shape shape = shape(input, features);
        Require.argument(
                examples > 0 && hasExamples(features, examples, shape),
                "features of shape %s do not fit input '%s', which takes arrays of shape [examples,"
                        + " %s]; reshape or permute them: an array of another layout with as many"
                        + " elements, such as NHWC for NCHW, would be read in the wrong order",
                Arrays.toString(features.shape()),
                input.name(),
                String.join(
                        ", ", input.shape().dimensions().stream().map(String::valueOf).toList()));
        return Batch.Floats.of((int) examples, shape, RowMajor.floats(features));
    }

    /* With as many steps as there are, where their number is free. */
    private static Shape shape(Input input, INDArray features) {
        int axis = input.timeAxis().orElse(-1);
        if (axis < 0 || features.rank() != input.shape().rank() + 1) {
            return input.shape();
        }
        long steps = features.size(axis + 1);
        Require.argument(
                steps > 0,
                "the features for input '%s' have the shape %s, sequences without a step; one step"
                        + " is the least",
                input.name(),
                Arrays.toString(features.shape()));
        return FreeSteps.resized(input.shape(), axis, Math.toIntExact(steps));
    }
}
