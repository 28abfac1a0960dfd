// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** DL4J's gradients have the shape of their values, and are finite where the derivative is. */
class Dl4jGradientsTest {

    /* Differences over 1e-4 in float64 leave about 1e-8 of a smooth function. */
    private static final double STEP = 1e-4;
    private static final double TOLERANCE = 1e-6;

    /** Values away from 0, where the derivative of the norm with p = 1 jumps. */
    private static INDArray values(long seed, long... shape) {
        Random random = new Random(seed);
        INDArray values = Nd4j.create(DataType.DOUBLE, shape);
        for (long i = 0; i < values.length(); i++) {
            double size = 0.1 + random.nextDouble();
            values.putScalar(i, random.nextBoolean() ? size : -size);
        }
        return values;
    }

    private static org.deeplearning4j.nn.api.Layer running(Layer layer) {
        NeuralNetConfiguration conf = new NeuralNetConfiguration();
        conf.setLayer(layer);
        return layer.instantiate(conf, null, 0, null, false, DataType.DOUBLE);
    }

    private static Function<INDArray, INDArray> forward(Layer layer, INDArray mask) {
        org.deeplearning4j.nn.api.Layer running = running(layer);
        return x -> {
            running.setMaskArray(mask);
            return running.activate(x.dup(), false, LayerWorkspaceMgr.noWorkspaces());
        };
    }

    private static void requireDerivative(Layer layer, INDArray x, INDArray mask) {
        Function<INDArray, INDArray> forward = forward(layer, mask);
        INDArray upstream = values(9, forward.apply(x).shape());
        INDArray gradient = PNormGradient.of(layer, x, mask, upstream);
        assertArrayEquals(x.shape(), gradient.shape());
        for (long i = 0; i < x.length(); i++) {
            INDArray more = x.dup('c');
            INDArray less = x.dup('c');
            more.putScalar(i, more.getDouble(i) + STEP);
            less.putScalar(i, less.getDouble(i) - STEP);
            INDArray difference = forward.apply(more).sub(forward.apply(less)).muli(upstream);
            double expected = difference.sumNumber().doubleValue() / (2 * STEP);
            assertEquals(
                    expected,
                    gradient.dup('c').getDouble(i),
                    TOLERANCE,
                    layer + " at " + i + " of " + Arrays.toString(x.shape()));
        }
    }

    private static GlobalPoolingLayer global(int p) {
        return new GlobalPoolingLayer.Builder(PoolingType.PNORM).pnorm(p).build();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5})
    void theNormOfAWholeExampleHasItsDerivative(int p) {
        requireDerivative(global(p), values(1, 2, 3, 4), null);
        requireDerivative(global(p), values(2, 2, 3, 3, 4), null);
        requireDerivative(global(p), values(3, 2, 2, 2, 3, 2), null);
        requireDerivative(global(p), values(4, 2, 3, 4).dup('f'), null);
        GlobalPoolingLayer open =
                new GlobalPoolingLayer.Builder(PoolingType.PNORM)
                        .pnorm(p)
                        .collapseDimensions(false)
                        .build();
        requireDerivative(open, values(5, 2, 3, 3, 4), null);
        GlobalPoolingLayer channelsLast =
                new GlobalPoolingLayer.Builder(PoolingType.PNORM)
                        .pnorm(p)
                        .poolingDimensions(1, 2)
                        .build();
        requireDerivative(channelsLast, values(6, 2, 3, 4, 3), null);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void theNormOfAMaskedExampleHasItsDerivative(int p) {
        INDArray steps =
                Nd4j.createFromArray(new double[][] {{1, 1, 0, 0}, {1, 1, 1, 1}, {1, 0, 0, 0}});
        requireDerivative(global(p), values(1, 3, 2, 4), steps);
        INDArray places = Nd4j.ones(DataType.DOUBLE, 3, 1, 1, 4);
        places.putScalar(new int[] {1, 0, 0, 3}, 0);
        requireDerivative(global(p), values(2, 3, 2, 3, 4), places);
    }

    @Test
    void theNormOfAWindowHasItsDerivative() {
        requireDerivativesOfWindows(6);
    }

    @Test
    @Tag("thorough")
    void theNormsOfManyWindowsHaveTheirDerivatives() {
        requireDerivativesOfWindows(200);
    }

    private static void requireDerivativesOfWindows(int pools) {
        Random random = new Random(4);
        int tried = 0;
        while (tried < pools) {
            ConvolutionMode mode =
                    List.of(ConvolutionMode.Same, ConvolutionMode.Truncate, ConvolutionMode.Strict)
                            .get(random.nextInt(3));
            int[] kernel = {1 + random.nextInt(3), 1 + random.nextInt(3)};
            int[] stride = {1 + random.nextInt(2), 1 + random.nextInt(2)};
            int[] padding =
                    mode == ConvolutionMode.Same
                            ? new int[2]
                            : new int[] {random.nextInt(kernel[0]), random.nextInt(kernel[1])};
            int[] dilation = {1 + random.nextInt(2), 1 + random.nextInt(2)};
            int p = 1 + random.nextInt(3);
            boolean fits =
                    mode != ConvolutionMode.Strict
                            || (isWhole(5, kernel[0], stride[0], padding[0], dilation[0])
                                    && isWhole(6, kernel[1], stride[1], padding[1], dilation[1]));
            if (!fits) {
                continue;
            }
            boolean channelsLast = random.nextBoolean();
            SubsamplingLayer pool =
                    new SubsamplingLayer.Builder(PoolingType.PNORM)
                            .kernelSize(kernel)
                            .stride(stride)
                            .padding(padding)
                            .dilation(dilation)
                            .convolutionMode(mode)
                            .dataFormat(channelsLast ? CNN2DFormat.NHWC : CNN2DFormat.NCHW)
                            .pnorm(p)
                            .build();
            requireDerivative(
                    pool,
                    channelsLast ? values(tried, 1, 5, 6, 2) : values(tried, 1, 2, 5, 6),
                    null);
            tried++;
        }
    }

    private static boolean isWhole(int size, int kernel, int stride, int padding, int dilation) {
        return (size + 2 * padding - (kernel - 1) * dilation - 1) % stride == 0;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void theNormOfAStretchOfASequenceHasItsDerivative(int p) {
        for (ConvolutionMode mode : List.of(ConvolutionMode.Same, ConvolutionMode.Truncate)) {
            Subsampling1DLayer pool =
                    new Subsampling1DLayer.Builder(3)
                            .stride(2)
                            .convolutionMode(mode)
                            .pnorm(p)
                            .build();
            pool.setPoolingType(PoolingType.PNORM); // DL4J's builder forgets it
            requireDerivative(pool, values(p, 2, 3, 7), null);
        }
    }

    /** Where all is 0 the norm is least, and 0 is its subgradient; DL4J divides 0 by 0. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5})
    void theNormOfZerosHasTheGradientZero(int p) {
        INDArray x = values(1, 2, 3, 4).castTo(DataType.FLOAT);
        x.putScalar(new int[] {0, 1, 2}, 0);
        x.slice(1).getRow(2).assign(0);
        INDArray upstream = Nd4j.ones(DataType.FLOAT, 2, 3);
        INDArray gradient = PNormGradient.of(global(p), x, null, upstream);
        assertFalse(gradient.isNaN().any() || gradient.isInfinite().any());
        assertEquals(0, gradient.getDouble(0, 1, 2));
        assertEquals(0, gradient.slice(1).getRow(2).amaxNumber().doubleValue());
        assertTrue(Math.abs(gradient.getDouble(0, 0, 0)) > 0);

        SubsamplingLayer pool =
                new SubsamplingLayer.Builder(PoolingType.PNORM)
                        .kernelSize(2, 2)
                        .stride(1, 1)
                        .pnorm(p)
                        .build();
        INDArray image = Nd4j.zeros(DataType.FLOAT, 1, 1, 3, 3);
        image.putScalar(new int[] {0, 0, 0, 0}, 5);
        INDArray above = Nd4j.ones(DataType.FLOAT, 1, 1, 2, 2);
        INDArray expected = Nd4j.zeros(DataType.FLOAT, 1, 1, 3, 3);
        expected.putScalar(new int[] {0, 0, 0, 0}, 1);
        assertEquals(expected, PNormGradient.of(pool, image, null, above));
    }

    @Test
    void tinyAndHugeValuesHaveAFiniteGradient() {
        for (float size : new float[] {Float.MIN_VALUE, 1e-38f, 1e-20f, 1e20f, 1e38f}) {
            for (int p : new int[] {1, 2, 3, 7}) {
                INDArray x = Nd4j.createFromArray(new float[] {size, -size, 0}).reshape(1, 1, 3);
                INDArray gradient =
                        PNormGradient.of(global(p), x, null, Nd4j.ones(DataType.FLOAT, 1, 1));
                assertFalse(
                        gradient.isNaN().any() || gradient.isInfinite().any(),
                        () -> "values of " + size);
            }
        }
    }

    @Test
    void aGradientOfOneStepIsAMatrixsGradient() {
        INDArray gradient = values(1, 3, 4, 1);
        INDArray matrix = values(2, 3, 4);
        INDArray shaped = Dl4jGradients.shapedLike(matrix, gradient);
        assertArrayEquals(new long[] {3, 4}, shaped.shape());
        assertEquals(gradient.getDouble(2, 1, 0), shaped.getDouble(2, 1));
        assertEquals(shaped, Dl4jGradients.shapedLike(matrix, gradient.dup('f')));
        // What differs in more than axes of one element is somebody's mistake, to be refused.
        INDArray other = values(3, 4, 3);
        assertEquals(other, Dl4jGradients.shapedLike(matrix, other));
    }

    /* The cube grows without end; RReLU draws its slopes in the forward pass. */
    @ParameterizedTest
    @EnumSource(
            names = {"CUBE", "RRELU"},
            mode = EnumSource.Mode.EXCLUDE)
    void gradientsOfFunctionsAreFiniteAndDl4jsOwn(Activation activation) {
        IActivation function = activation.getActivationFunction();
        INDArray near =
                Nd4j.createFromArray(
                        new float[][] {
                            {0f, -0f, 1e-30f, -1e-30f, 0.5f, 1f, -1f, 2.5f, -2.5f, 3f, -3f, 6f},
                            {-6f, 10f, -10f, 19f, -19f, 1e-3f, -1e-3f, 4f, -4f, 0f, 0f, 0f}
                        });
        INDArray ones = Nd4j.onesLike(near);
        INDArray mine = Dl4jGradients.throughFunction(function, near.dup(), ones.dup());
        assertFalse(mine.isNaN().any() || mine.isInfinite().any(), activation::toString);
        IActivation again = activation.getActivationFunction();
        assertEquals(again.backprop(near.dup(), ones.dup()).getFirst(), mine);
        INDArray far = Nd4j.createFromArray(new float[][] {{30f, -30f, 100f, -100f, 1e4f, -1e4f}});
        INDArray wide =
                Dl4jGradients.throughFunction(
                        activation.getActivationFunction(), far, Nd4j.onesLike(far));
        assertFalse(wide.isNaN().any() || wide.isInfinite().any(), activation + ": " + wide);
    }

    @ParameterizedTest
    @EnumSource(names = {"SWISH", "GELU", "MISH", "SOFTPLUS"})
    void functionsThatBecomeTheIdentityHaveItsGradient(Activation activation) {
        INDArray x = Nd4j.createFromArray(new float[][] {{20f, 25f, 40f, 88f, 100f, 1e30f}});
        INDArray gradient =
                Dl4jGradients.throughFunction(
                        activation.getActivationFunction(), x.dup(), Nd4j.onesLike(x));
        assertEquals(Nd4j.onesLike(x), gradient);
    }
}
