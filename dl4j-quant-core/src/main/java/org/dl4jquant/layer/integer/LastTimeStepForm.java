// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.MoveByMask;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of the last step of a recurrent layer; under a mask, the last step that counts.
 *
 * @param inside the form of the layer
 * @param channelsLast whether its sequences are [examples, steps, features]
 */
public record LastTimeStepForm(IntegerForm inside, boolean channelsLast) implements IntegerForm {

    /**
     * Returns the support of the last step.
     *
     * @param inside the support of the layer
     * @param channelsLast whether its sequences are [examples, steps, features]
     * @return a form, or the layer's refusal
     */
    public static IntegerSupport of(IntegerSupport inside, boolean channelsLast) {
        if (Require.given(inside, "inside") instanceof IntegerSupport.Refusal refusal) {
            return refusal;
        }
        return IntegerSupport.of(
                tensors -> new LastTimeStepForm(inside.form(tensors).orElseThrow(), channelsLast));
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        List<INDArray> results = inside.infer(call, inputs);
        if (results.isEmpty()) {
            return results;
        }
        INDArray all = channelsLast ? results.get(0).permute(0, 2, 1) : results.get(0);
        int examples = Math.toIntExact(all.size(0));
        int units = Math.toIntExact(all.size(1));
        int steps = Math.toIntExact(all.size(2));
        float[] values = RowMajor.floats(all);
        INDArray mask = call.mask();
        float[] counting = mask == null ? null : RowMajor.floats(mask);
        float[] last = new float[examples * units];
        for (int i = 0; i < last.length; i++) {
            last[i] = values[i * steps + last(counting, i / units, steps)];
        }
        INDArray result =
                call.workspaces()
                        .createUninitialized(
                                ArrayType.ACTIVATIONS, all.dataType(), examples, units);
        RowMajor.copyInto(last, result);
        return List.of(result);
    }

    /* The last one if none counts: all of its states are 0. */
    private static int last(float @Nullable [] mask, int example, int steps) {
        if (mask != null) {
            for (int t = steps - 1; t >= 0; t--) {
                if (mask[example * steps + t] != 0) {
                    return t;
                }
            }
        }
        return steps - 1;
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return inside.obstacle();
    }

    @Override
    public MaskUse maskUse() {
        return MaskUse.ENDS;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal all = inside.emitMasked(graph.part("steps"), inputs).get(0);
        String codes = channelsLast ? graph.channelsFirst(all) : graph.codes(all);
        Shape shape = graph.type(codes).shape();
        Optional<String> mask = graph.mask(shape.size(1));
        if (mask.isPresent()) {
            MoveByMask chosen =
                    new MoveByMask(graph.name(), codes, mask.get(), MoveByMask.Choice.LAST);
            return List.of(new Signal.Codes(graph.add(chosen)));
        }
        IndexMap last =
                IndexMap.select(shape, 1, AxisIndices.of(shape.size(1) - 1))
                        .reshaped(Shape.of(shape.size(0)));
        return List.of(new Signal.Codes(graph.add(Move.of(graph.name(), codes, last))));
    }
}
