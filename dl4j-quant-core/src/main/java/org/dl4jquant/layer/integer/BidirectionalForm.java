// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeOperation;
import org.dl4jquant.numeric.CodeSum;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of a recurrent layer in both directions of time, whose states are joined, added,
 * multiplied or averaged.
 */
public final class BidirectionalForm implements IntegerForm {

    private final Bidirectional layer;
    private final BaseRecurrentLayer inside;
    private final LayerTensors tensors;
    private final RecurrentArithmetic forwards;
    private final RecurrentArithmetic backwards;

    private BidirectionalForm(
            Bidirectional layer, BaseRecurrentLayer inside, LayerTensors tensors) {
        this.layer = layer;
        this.inside = inside;
        this.tensors = tensors;
        this.forwards = arithmetic("f", TensorRole.HIDDEN, false);
        this.backwards = arithmetic("b", TensorRole.HIDDEN_BACKWARD, true);
    }

    private RecurrentArithmetic arithmetic(String prefix, TensorRole role, boolean reverse) {
        return new RecurrentArithmetic(
                inside, tensors, new RecurrentArithmetic.Direction(prefix, role, reverse));
    }

    /**
     * Returns the support of a layer in both directions.
     *
     * @param layer its configuration
     * @param inside the configuration of its recurrent layer
     * @param single the support of that layer alone
     * @return a form, or the refusal of an option
     */
    public static IntegerSupport of(
            Bidirectional layer, BaseRecurrentLayer inside, IntegerSupport single) {
        Require.given(layer, "layer");
        Require.given(inside, "inside");
        Require.given(single, "single");
        if (single instanceof IntegerSupport.Refusal refusal) {
            return refusal;
        }
        return ChannelsLastForm.of(
                inside.getRnnDataFormat(),
                IntegerSupport.of(tensors -> new BidirectionalForm(layer, inside, tensors)));
    }

    private boolean joins() {
        return layer.getMode() == Bidirectional.Mode.CONCAT;
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        if (tensors.type() != DataType.FLOAT || notInIntegers() != null) {
            return List.of();
        }
        boolean channelsLast = inside.getRnnDataFormat() == RNNFormat.NWC;
        INDArray given = inputs.get(0);
        INDArray x = channelsLast && given.rank() == 3 ? given.permute(0, 2, 1) : given;
        forwards.requireFits(x);
        float[] counting = SequenceMasks.values(tensors.name(), call.mask(), x);
        if (call.mask() != null && counting == null) {
            return List.of();
        }
        int examples = Math.toIntExact(x.size(0));
        float[] values = RowMajor.floats(x);
        float[] result =
                combined(
                        states(forwards, values, examples, counting),
                        states(backwards, values, examples, counting),
                        examples);
        if (result.length == 0) {
            return List.of();
        }
        long features = result.length / examples / x.size(2);
        INDArray y =
                call.workspaces()
                        .createUninitialized(
                                ArrayType.ACTIVATIONS,
                                DataType.FLOAT,
                                channelsLast
                                        ? new long[] {examples, x.size(2), features}
                                        : new long[] {examples, features, x.size(2)},
                                'c');
        RowMajor.copyInto(result, channelsLast ? y.permute(0, 2, 1) : y);
        return List.of(y);
    }

    private static float[] states(
            RecurrentArithmetic direction, float[] x, int examples, float @Nullable [] mask) {
        SequenceRun run = direction.run();
        return run.run(x, examples, mask, run.states(List.of(), examples));
    }

    private float[] combined(float[] one, float[] other, int examples) {
        QuantParams output = Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
        if (joins()) {
            float[] joined = new float[one.length + other.length];
            int length = one.length / examples;
            for (int i = 0; i < joined.length; i++) {
                int at = i % (2 * length);
                int example = i / (2 * length);
                float value =
                        at < length
                                ? one[example * length + at]
                                : other[example * length + at - length];
                joined[i] = Float.isNaN(value) ? value : output.dequantize(output.quantize(value));
            }
            return joined;
        }
        return combined(one, other, output);
    }

    /* Scales so far apart that the engines refuse them are left to float. */
    private float[] combined(float[] one, float[] other, QuantParams output) {
        QuantParams left = forwards.integers().state();
        QuantParams right = backwards.integers().state();
        float[] results = new float[one.length];
        switch (layer.getMode()) {
            case MUL -> {
                if (!CodeOperation.canMultiply(left, right, output)) {
                    return new float[0];
                }
                CodeOperation.of(
                                CodeOperation.Kind.PRODUCT,
                                List.of(left, right),
                                output,
                                output.range())
                        .multiplyValues(one, other, results);
            }
            case AVERAGE -> {
                for (int i = 0; i < results.length; i++) {
                    float mean = (one[i] + other[i]) / 2;
                    results[i] =
                            Float.isNaN(mean) ? mean : output.dequantize(output.quantize(mean));
                }
            }
            default -> {
                if (!CodeSum.canAdd(left, output) || !CodeSum.canAdd(right, output)) {
                    return new float[0];
                }
                CodeSum.of(left, right, output, output.range()).addValues(one, other, results);
            }
        }
        return results;
    }

    private @Nullable String notInIntegers() {
        String fault = forwards.notInIntegers();
        fault = fault == null ? backwards.notInIntegers() : fault;
        return fault == null && tensors.codes(TensorRole.OUTPUT) == null
                ? "its result is not rounded to integers"
                : fault;
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return RecurrentForm.obstacle(layer, tensors, notInIntegers());
    }

    @Override
    public MaskUse maskUse() {
        return MaskUse.UNDERSTOOD;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        return emit(graph, inputs, false);
    }

    @Override
    public List<Signal> emitMasked(NodeEmitter graph, List<Signal> inputs) {
        return emit(graph, inputs, true);
    }

    private List<Signal> emit(NodeEmitter graph, List<Signal> inputs, boolean set) {
        String input = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        Optional<String> mask = forwards.mask(graph, input, set);
        String one = graph.add(forwards.node(graph.inner("forwards"), input, mask));
        String other = graph.add(backwards.node(graph.inner("backwards"), input, mask));
        QuantParams output = Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
        return List.of(
                new Signal.Codes(graph.add(joined(graph.name(), List.of(one, other), output))));
    }

    private IntNode joined(String name, List<String> both, QuantParams output) {
        Output.Codes codes = Output.Codes.of(output);
        return switch (layer.getMode()) {
            case CONCAT -> new Concat(name, both, output);
            case ADD -> new Add(name, both.get(0), both.get(1), codes);
            case MUL -> new Elementwise(name, CodeOperation.Kind.PRODUCT, both, codes);
            case AVERAGE -> new Elementwise(name, CodeOperation.Kind.MEAN, both, codes);
        };
    }
}
