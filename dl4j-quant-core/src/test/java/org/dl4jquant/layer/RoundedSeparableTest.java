// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.nd.RowMajor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A separable convolution in two halves is DL4J's own, as long as nothing between is rounded. */
class RoundedSeparableTest {

    /** Both add the same products in another order. */
    private static final float FLOAT_BOUND = 1e-4f;

    private static final LayerWorkspaceMgr MGR = LayerWorkspaceMgr.noWorkspaces();

    private static NeuralNetConfiguration configuration(
            CNN2DFormat format, ConvolutionMode mode, boolean bias) {
        SeparableConvolution2D layer =
                new SeparableConvolution2D.Builder(3, 2)
                        .nIn(3)
                        .nOut(4)
                        .depthMultiplier(2)
                        .stride(1, 2)
                        .convolutionMode(mode)
                        .dataFormat(format)
                        .hasBias(bias)
                        .activation(Activation.IDENTITY)
                        .build();
        return new NeuralNetConfiguration.Builder().layer(layer).build();
    }

    @ParameterizedTest
    @EnumSource
    void halvesInFloatAreDl4jsLayer(CNN2DFormat format) {
        for (ConvolutionMode mode :
                new ConvolutionMode[] {ConvolutionMode.Same, ConvolutionMode.Truncate}) {
            compare(format, mode, true);
            compare(format, mode, false);
        }
    }

    private static void compare(CNN2DFormat format, ConvolutionMode mode, boolean bias) {
        NeuralNetConfiguration conf = configuration(format, mode, bias);
        SeparableConvolution2D layer = (SeparableConvolution2D) conf.getLayer();
        long count = layer.initializer().numParams(conf);
        INDArray parameters = Nd4j.randn(1, count).muli(0.3);
        Layer expected = layer.instantiate(conf, null, 0, parameters.dup(), false, DataType.FLOAT);
        Layer halves = RoundedSeparable.of(conf, layer, 0, parameters.dup(), DataType.FLOAT);
        INDArray x = format == CNN2DFormat.NCHW ? Nd4j.randn(2, 3, 6, 7) : Nd4j.randn(2, 6, 7, 3);
        INDArray y = expected.activate(x.dup(), true, MGR);
        requireNear(y, halves.activate(x.dup(), true, MGR));
        INDArray epsilon = Nd4j.randn(y.shape());
        expected.setBackpropGradientsViewArray(Nd4j.zeros(1, count));
        halves.setBackpropGradientsViewArray(Nd4j.zeros(1, count));
        Pair<Gradient, INDArray> back = expected.backpropGradient(epsilon.dup(), MGR);
        Pair<Gradient, INDArray> found = halves.backpropGradient(epsilon.dup(), MGR);
        requireNear(back.getSecond(), found.getSecond());
        Map<String, INDArray> gradients = back.getFirst().gradientForVariable();
        assertEquals(gradients.keySet(), found.getFirst().gradientForVariable().keySet());
        gradients.forEach((key, value) -> requireNear(value, found.getFirst().getGradientFor(key)));
    }

    private static void requireNear(INDArray expected, INDArray found) {
        assertArrayEquals(expected.shape(), found.shape());
        assertArrayEquals(RowMajor.floats(expected), RowMajor.floats(found), FLOAT_BOUND);
    }
}
