// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.prepare.Networks;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class ChannelsLastConvolution1DTest {

    private static final int IN = 3;
    private static final int OUT = 4;
    private static final int STEPS = 7;
    private static final int EXAMPLES = 2;

    /** DL4J's backward pass works in the other format, NCW. */
    @Property(tries = 12)
    void gradientsAreThoseOfTheSameConvolutionInTheOtherFormat(
            @ForAll @IntRange(min = 1, max = 3) int kernel,
            @ForAll @IntRange(min = 1, max = 2) int stride,
            @ForAll boolean dilated,
            @ForAll boolean causal,
            @ForAll boolean biased) {
        int dilation = dilated && causal && stride == 1 ? 2 : 1; // oneDNN refuses others
        ConvolutionMode mode = causal ? ConvolutionMode.Causal : ConvolutionMode.Same;
        Convolution1DLayer first = layer(RNNFormat.NCW, kernel, stride, dilation, mode, biased);
        Convolution1DLayer last = layer(RNNFormat.NWC, kernel, stride, dilation, mode, biased);
        assertTrue(ChannelsLastConvolution1D.computes(last));
        assertFalse(ChannelsLastConvolution1D.computes(first));
        INDArray parameters = Networks.normal(3, 1, OUT * IN * kernel + (biased ? OUT : 0));
        INDArray input = Networks.normal(5, EXAMPLES, IN, STEPS);
        var one =
                (org.deeplearning4j.nn.layers.convolution.Convolution1DLayer)
                        first.instantiate(
                                conf(first), null, 0, parameters.dup(), false, DataType.FLOAT);
        var other = ChannelsLastConvolution1D.of(conf(last), 0, parameters.dup(), DataType.FLOAT);
        LayerWorkspaceMgr mgr = LayerWorkspaceMgr.noWorkspaces();
        INDArray result = one.activate(input, true, mgr);
        INDArray same = other.activate(turned(input), true, mgr);
        assertArrayEquals(floats(result), floats(turned(same)));
        INDArray epsilon = Networks.normal(7, result.shape());
        INDArray gradient = parameters.like();
        INDArray sameGradient = parameters.like();
        one.setBackpropGradientsViewArray(gradient);
        other.setBackpropGradientsViewArray(sameGradient);
        Pair<Gradient, INDArray> back = one.backpropGradient(epsilon, mgr);
        Pair<Gradient, INDArray> sameBack = other.backpropGradient(turned(epsilon), mgr);
        assertArrayEquals(floats(gradient), floats(sameGradient));
        assertArrayEquals(floats(back.getSecond()), floats(turned(sameBack.getSecond())));
        assertTrue(gradient.norm2Number().doubleValue() > 0);
    }

    private static Convolution1DLayer layer(
            RNNFormat format,
            int kernel,
            int stride,
            int dilation,
            ConvolutionMode mode,
            boolean biased) {
        return new Convolution1DLayer.Builder()
                .kernelSize(kernel)
                .stride(stride)
                .dilation(dilation)
                .convolutionMode(mode)
                .rnnDataFormat(format)
                .hasBias(biased)
                .nIn(IN)
                .nOut(OUT)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static NeuralNetConfiguration conf(Convolution1DLayer layer) {
        return new NeuralNetConfiguration.Builder().layer(layer).build();
    }

    private static INDArray turned(INDArray sequences) {
        return sequences.permute(0, 2, 1).dup('c');
    }

    private static float[] floats(INDArray array) {
        return array.dup('c').data().asFloat();
    }
}
