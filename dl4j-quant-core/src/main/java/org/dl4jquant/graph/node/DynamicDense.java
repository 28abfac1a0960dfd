// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.FloatBias;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * A matrix product with rows of float32 values, which become codes of a scale found in them at run
 * time (dynamic quantization): {@code ((float) sum * scale * weightScale) + bias} for a scale per
 * row, {@code (float) sum * (scale * weightScale) + bias} for one per batch, each operation rounded
 * to float32 ({@link org.dl4jquant.numeric.RuntimeParams}).
 *
 * @param name the node's name
 * @param input float32 values
 * @param axis the dimension of an example that a row lies along; the others number the rows
 * @param weights [out, in], without biases
 * @param bias one float32 for each output channel
 * @param scale which values share a scale
 */
public record DynamicDense(
        String name,
        String input,
        int axis,
        WeightTensor weights,
        FloatBias bias,
        RuntimeScale scale)
        implements IntNode {

    /** Checks that the weights are a matrix without biases, and that no sum can overflow. */
    public DynamicDense {
        NodeChecks.requireName(name);
        Objects.requireNonNull(scale, "scale");
        Require.argument(
                weights.shape().rank() == 2,
                "dynamic dense '%s': weights %s must be [out, in]",
                name,
                weights.shape());
        Require.argument(
                !weights.range().isWide(),
                "dynamic dense '%s': weights of 16 bits; at most 8 are understood",
                name);
        Require.argument(
                bias.size() == weights.channels(),
                "dynamic dense '%s': %d biases for %d output channels",
                name,
                bias.size(),
                weights.channels());
        for (int channel = 0; channel < weights.channels(); channel++) {
            Require.argument(
                    weights.bias(channel) == 0,
                    "dynamic dense '%s': the weights have an integer bias in channel %d; the bias"
                            + " is float32 where a scale is found at run time",
                    name,
                    channel);
        }
    }

    /** {@return the proof that no sum can overflow} */
    public OverflowCertificate certificate() {
        if (scale == RuntimeScale.PER_ROW) {
            return certificate(CodeRange.signed(8), 0);
        }
        // A sum is linear in the zero point, so that its ends are the worst.
        OverflowCertificate low = certificate(CodeRange.unsigned(8), 0);
        OverflowCertificate high = certificate(CodeRange.unsigned(8), CodeRange.unsigned(8).max());
        boolean lowWorse =
                Math.max(-low.lowest(), low.highest()) > Math.max(-high.lowest(), high.highest());
        return new OverflowCertificate(
                Math.min(low.lowest(), high.lowest()),
                Math.max(low.highest(), high.highest()),
                lowWorse ? low.channel() : high.channel());
    }

    private OverflowCertificate certificate(CodeRange range, int zeroPoint) {
        return OverflowCertificate.of(weights, new QuantParams(1, zeroPoint, range));
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.type(input);
        Require.argument(
                !type.isCodes(),
                "dynamic dense '%s' reads codes from '%s'; it takes float32 values, dequantize them"
                        + " first",
                name,
                input);
        Shape shape = type.shape();
        Require.argument(
                axis >= 0 && axis < shape.rank() && shape.size(axis) == weights.shape().size(1),
                "dynamic dense '%s': '%s' has shape %s, its weights %s are for rows of %d along"
                        + " dimension %d",
                name,
                input,
                shape,
                weights.shape(),
                weights.shape().size(1),
                axis);
        OverflowCertificate certificate = certificate();
        Require.argument(
                certificate.fitsInt32(),
                "node '%s': the accumulator of channel %d can reach [%d, %d], which int32 cannot"
                        + " hold; use fewer bits",
                name,
                certificate.channel(),
                certificate.lowest(),
                certificate.highest());
        List<Integer> sizes = new ArrayList<>(shape.dimensions());
        sizes.set(axis, weights.channels());
        return new TensorType(new Shape(sizes), null);
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        int time = inputs.get(0).timeAxis();
        Require.argument(
                time != axis,
                "dynamic dense '%s': rows of '%s' lie along the free number of steps",
                name,
                input);
        return time;
    }

    @Override
    public String kind() {
        return "DynamicDense";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
