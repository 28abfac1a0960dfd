// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.fakequant.FakeQuantizer;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.scheme.Estimator;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The weights of a running layer as codes, and the accumulators that they make of its input. */
final class CodedWeights {

    /* The arithmetic is DL4J's own, on a twin of the layer that holds the codes as float32: its
     * accumulators are integers, which float32 adds exactly up to 2^24 in any order; larger ones
     * are made of several sums (ExactSums). They are rounded once more because a fast convolution
     * algorithm (Winograd) may multiply by fractions.
     *
     * The twin is filled again only when a parameter has changed; the comparison is by content, so
     * that nothing, not even a write through a view, goes unnoticed. */

    static final String REMEDY =
            "training has diverged. Go back to the last good checkpoint, and lower the learning"
                    + " rate or clip the gradients";

    private final LayerTensors tensors;
    private final WeightedArithmetic arithmetic;
    private final CodeRounder rounder;
    private final INDArray view;
    private final Layer twin;

    private float[] seen = new float[0];
    private @Nullable QuantParams seenInput;
    private @Nullable WeightTensor folded;
    private List<Part> parts = List.of();
    private @Nullable INDArray codes;

    /**
     * A part of the weights whose sums float32 may add: all of 8 bits, or the lower or the upper
     * byte of 16.
     */
    private static final class Part {
        private final float[] values;
        private final double unit;
        private final ExactSums sums;

        /* The unit says how many units of the weights one of the part is. */
        Part(int[] codes, double unit, long[] bias) {
            this.values = new float[codes.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = codes[i];
            }
            this.unit = unit;
            this.sums = new ExactSums(codes, bias);
        }
    }

    /**
     * Takes a running layer with parameters.
     *
     * @param tensors the layer's
     * @param arithmetic its sums
     * @param rounder rounds its weights
     * @param view all its parameters
     */
    CodedWeights(
            LayerTensors tensors,
            WeightedArithmetic arithmetic,
            CodeRounder rounder,
            INDArray view) {
        this.tensors = tensors;
        this.arithmetic = arithmetic;
        this.rounder = rounder;
        this.view = view;
        this.twin = tensors.instantiate(arithmetic.sums());
    }

    /**
     * {@return the layer's weights as integers, now}
     *
     * @param input how the codes of the input stand for values
     * @throws IllegalStateException if a parameter is NaN or infinite; the message names it
     */
    WeightTensor tensor(QuantParams input) {
        float[] now = RowMajor.floats(view);
        WeightTensor last = folded;
        if (last != null && input.equals(seenInput) && Arrays.equals(seen, now)) {
            return last;
        }
        WeightTensor fresh = fold(input);
        Part whole = new Part(fresh.allCodes(), 1, fresh.longBias());
        boolean small =
                whole.sums.areSmall(
                        input.range().min() - input.zeroPoint(),
                        input.range().max() - input.zeroPoint());
        parts = small ? List.of() : fresh.range().isWide() ? bytes(fresh) : List.of(whole);
        fill(whole, fresh, small);
        seen = now;
        seenInput = input;
        folded = fresh;
        return fresh;
    }

    private WeightTensor fold(QuantParams input) {
        String lost = NonFinite.firstName(tensors.parameters());
        Require.state(
                lost == null,
                "layer \"%s\": its parameter \"%s\" is NaN or infinite, and no integer stands for"
                        + " that; %s",
                tensors.name(),
                String.valueOf(lost),
                REMEDY);
        INDArray rows =
                arithmetic.outputFirst(rounder.beforeRounding(parameter(arithmetic.weightKey())));
        INDArray bias = tensors.parameters().get(DefaultParamInitializer.BIAS_KEY);
        WeightCodes codesOfWeight = new WeightCodes(rounder);
        return new IntegerFold(
                        shapeOf(rows),
                        codesOfWeight.range(),
                        codesOfWeight.of(RowMajor.floats(rows), shapeOf(rows)),
                        codesOfWeight.scales(),
                        bias == null ? null : RowMajor.floats(bias),
                        tensors.normalization())
                .fold(input);
    }

    private INDArray parameter(String key) {
        return Objects.requireNonNull(tensors.parameters().get(key), key);
    }

    private static Shape shapeOf(INDArray array) {
        return Shape.of(Arrays.stream(array.shape()).mapToInt(Math::toIntExact).toArray());
    }

    /* The upper bytes first; the lower ones are signed, too. */
    private static List<Part> bytes(WeightTensor integers) {
        int[] upper = integers.allCodes();
        int[] lower = new int[upper.length];
        for (int i = 0; i < upper.length; i++) {
            lower[i] = (byte) upper[i];
            upper[i] = (upper[i] - lower[i]) >> Byte.SIZE;
        }
        return List.of(
                new Part(upper, 1 << Byte.SIZE, integers.longBias()),
                new Part(lower, 1, integers.longBias()));
    }

    private void fill(Part part, WeightTensor integers, boolean withBias) {
        float[] bias = new float[integers.channels()];
        for (int channel = 0; channel < bias.length; channel++) {
            bias[channel] = withBias ? integers.longBias(channel) : 0;
        }
        RowMajor.copyInto(
                part.values,
                arithmetic.outputFirst(twin.getParam(DefaultParamInitializer.WEIGHT_KEY)));
        RowMajor.copyInto(bias, twin.getParam(DefaultParamInitializer.BIAS_KEY));
    }

    /**
     * {@return the sums of products, with the bias, as float32; they may be overwritten}
     *
     * @param x the input, in values
     * @param input how its codes stand for values
     * @param call how the network calls the layer
     */
    INDArray accumulators(INDArray x, QuantParams input, Call call) {
        WeightTensor integers = tensor(input);
        twin.setMaskArray(call.mask());
        INDArray arriving = codesOf(x, input);
        return parts.isEmpty()
                ? sums(arriving, call.workspaces())
                : largeSums(arriving, integers, call.workspaces());
    }

    private INDArray largeSums(
            INDArray arriving, WeightTensor integers, LayerWorkspaceMgr workspaces) {
        List<INDArray> results = new ArrayList<>();
        double[] totals = null;
        for (Part part : parts) {
            if (parts.size() > 1) {
                fill(part, integers, false);
            }
            totals =
                    part.sums.addTo(
                            totals,
                            arriving,
                            part.unit,
                            codesOfPart -> {
                                INDArray sums = sums(codesOfPart, workspaces);
                                results.add(sums);
                                return sums;
                            });
        }
        // It lies where DL4J expects the layer's result.
        INDArray result = results.get(results.size() - 1);
        parts.get(0)
                .sums
                .accumulators(Objects.requireNonNull(totals), arithmetic.channelAxis(), result);
        return result;
    }

    private INDArray sums(INDArray arriving, LayerWorkspaceMgr workspaces) {
        // These codes are no array of the network, whose workspace for inputs may be closed.
        twin.setInput(arriving, LayerWorkspaceMgr.noWorkspacesImmutable());
        INDArray sums = twin.activate(false, workspaces);
        twin.clear();
        return sums;
    }

    /** The input's codes, less the zero point, as float32: what padding adds is then 0. */
    private INDArray codesOf(INDArray x, QuantParams input) {
        INDArray buffer = codes;
        if (buffer == null || !Arrays.equals(buffer.shape(), x.shape())) {
            buffer = Nd4j.createUninitializedDetached(DataType.FLOAT, x.shape());
            codes = buffer;
        }
        FakeQuantizer.of(input.range(), input.zeroPoint(), Estimator.STE, Channels.NONE)
                .codes(x, Nd4j.scalar(input.scale()), buffer);
        return buffer;
    }
}
