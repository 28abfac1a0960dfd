// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.Objects;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.layer.rounding.ScaleGuard;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.FloatBias;
import org.dl4jquant.numeric.RuntimeParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The weights of a running layer as codes and its bias as float32, with its batch normalization
 * folded in, and the products of rows with them.
 */
final class DynamicProduct {

    /* The sums are made by ND4J's matrix product of codes: float32 adds integers exactly up to 2^24
     * in any order, and float64 those of any layer whose sums fit int32. */

    private static final long EXACT = 1 << 24;

    private static final int LARGEST_CODE = 255;

    private final LayerTensors tensors;
    private final WeightedArithmetic arithmetic;
    private final CodeRounder rounder;
    private final INDArray view;

    private float[] seen = new float[0];
    private @Nullable WeightTensor weights;
    private @Nullable FloatBias bias;
    private @Nullable INDArray matrix;

    DynamicProduct(
            LayerTensors tensors,
            WeightedArithmetic arithmetic,
            CodeRounder rounder,
            INDArray view) {
        this.tensors = tensors;
        this.arithmetic = arithmetic;
        this.rounder = rounder;
        this.view = view;
    }

    /** {@return the number of outputs} */
    int outputs() {
        return weights().channels();
    }

    /** {@return the weights, now, without a bias} */
    WeightTensor weights() {
        refresh();
        return Objects.requireNonNull(weights);
    }

    /** {@return the bias, now} */
    FloatBias bias() {
        refresh();
        return Objects.requireNonNull(bias);
    }

    private void refresh() {
        float[] now = RowMajor.floats(view);
        if (weights == null || !Arrays.equals(seen, now)) {
            fold();
            seen = now;
        }
    }

    private void fold() {
        String lost = NonFinite.firstName(tensors.parameters());
        Require.state(
                lost == null,
                "layer \"%s\": its parameter \"%s\" is NaN or infinite, and no integer stands for"
                        + " that; %s",
                tensors.name(),
                String.valueOf(lost),
                CodedWeights.REMEDY);
        INDArray master =
                Objects.requireNonNull(tensors.parameters().get(arithmetic.weightKey()), "weight");
        INDArray rows = arithmetic.outputFirst(rounder.beforeRounding(master));
        Shape shape = Shape.of(Math.toIntExact(rows.size(0)), Math.toIntExact(rows.size(1)));
        WeightCodes coded = new WeightCodes(rounder);
        int[] codes = coded.of(RowMajor.floats(rows), shape);
        INDArray own = tensors.parameters().get(DefaultParamInitializer.BIAS_KEY);
        assign(shape, coded.range(), codes, coded.scales(), own);
    }

    /* A normalization's factor goes into the scale, its sign into the codes. */
    private void assign(
            Shape shape, CodeRange range, int[] codes, float[] scales, @Nullable INDArray own) {
        ChannelLine line = tensors.normalization();
        float[] before = own == null ? new float[shape.size(0)] : RowMajor.floats(own);
        float[] units = new float[shape.size(0)];
        float[] biases = new float[shape.size(0)];
        byte[] signed = new byte[codes.length];
        int length = shape.size(1);
        for (int channel = 0; channel < units.length; channel++) {
            double factor = line == null ? 1 : line.factor(channel);
            double trained = scales[scales.length == 1 ? 0 : channel];
            units[channel] =
                    Math.max(
                            (float) (trained * Math.abs(factor)),
                            ScaleGuard.LEAST * ScaleGuard.LEAST);
            biases[channel] =
                    (float) (before[channel] * factor + (line == null ? 0 : line.shift(channel)));
            for (int i = channel * length; i < (channel + 1) * length; i++) {
                signed[i] = (byte) (codes[i] * (int) Math.signum(factor));
            }
        }
        weights = WeightTensor.of(shape, range, signed, units, new int[units.length]);
        bias = FloatBias.of(biases);
        matrix = matrix(shape, signed);
    }

    /* [in, out] */
    private static INDArray matrix(Shape shape, byte[] codes) {
        long largest = 0;
        int length = shape.size(1);
        float[] turned = new float[codes.length];
        for (int channel = 0; channel < shape.size(0); channel++) {
            long sum = 0;
            for (int i = 0; i < length; i++) {
                int code = codes[channel * length + i];
                sum += Math.abs(code);
                turned[i * shape.size(0) + channel] = code;
            }
            largest = Math.max(largest, sum);
        }
        boolean small = largest * LARGEST_CODE <= EXACT;
        return Detached.compute(
                () ->
                        RowMajor.array(turned, length, shape.size(0))
                                .castTo(small ? DataType.FLOAT : DataType.DOUBLE));
    }

    /**
     * {@return the values of the products of rows with the weights, row after row}
     *
     * @param values the rows, one after the other
     * @param scale which values share a scale
     */
    float[] values(float[] values, RuntimeScale scale) {
        WeightTensor known = weights();
        FloatBias added = bias();
        INDArray factors = Objects.requireNonNull(matrix);
        int in = known.weightsPerChannel();
        int out = known.channels();
        int rows = values.length / in;
        RuntimeParams ofBatch =
                scale == RuntimeScale.PER_BATCH ? RuntimeParams.ofBatch(values) : null;
        RuntimeParams[] params = new RuntimeParams[rows];
        float[] codes = new float[values.length];
        for (int row = 0; row < rows; row++) {
            RuntimeParams found =
                    ofBatch == null ? RuntimeParams.ofRow(values, row * in, in, 1) : ofBatch;
            params[row] = found;
            for (int i = row * in; i < (row + 1) * in; i++) {
                codes[i] = found.distance(values[i]);
            }
        }
        double[] sums = Detached.compute(() -> sums(codes, rows, factors));
        float[] results = new float[sums.length];
        for (int i = 0; i < results.length; i++) {
            int channel = i % out;
            results[i] =
                    params[i / out].value(
                            (int) Math.rint(sums[i]), known.scale(channel), added.value(channel));
        }
        return results;
    }

    private static double[] sums(float[] codes, int rows, INDArray factors) {
        INDArray left = RowMajor.array(codes, rows, factors.size(0));
        return RowMajor.doubles(left.castTo(factors.dataType()).mmul(factors));
    }
}
