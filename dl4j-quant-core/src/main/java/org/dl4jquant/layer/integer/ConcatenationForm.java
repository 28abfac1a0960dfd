// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Concat;

/**
 * The form of a concatenation along the channels, which a layer after it rounds. The network infers
 * it with DL4J's own concatenation, because rounding its values is exact.
 */
public final class ConcatenationForm implements IntegerForm {

    private final int axis;

    private ConcatenationForm(int axis) {
        this.axis = axis;
    }

    /**
     * Returns the support of a concatenation.
     *
     * @param vertex its configuration
     * @return a form
     */
    public static IntegerSupport of(MergeVertex vertex) {
        int axis = Require.given(vertex, "vertex").getMergeAxis();
        return IntegerSupport.of(tensors -> new ConcatenationForm(axis));
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        if (inputs.size() == 1) {
            return inputs;
        }
        boolean last = axis != 1;
        List<String> codes =
                inputs.stream()
                        .map(input -> last ? graph.channelsFirst(input) : graph.codes(input))
                        .toList();
        int rank = graph.type(codes.get(0)).shape().rank();
        if (last && axis != rank && axis != -1) {
            throw new IntegerRefusal(
                    "it merges examples of " + rank + " dimensions along axis " + axis,
                    "merge channels, which are axis 1 in format NCHW and the last one in NHWC");
        }
        return List.of(
                new Signal.Unrounded(
                        graph.step(),
                        (name, output) -> new Concat(name, codes, output.params()),
                        last));
    }
}
