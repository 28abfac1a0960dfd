// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Options that DL4J's own layers ignore, or treat otherwise than their names say. */
class PoolingOptionsTest {

    private static final int EXAMPLES = 6;

    private static SubsamplingLayer.Builder pool(PoolingType type) {
        return new SubsamplingLayer.Builder(type).kernelSize(2, 2).stride(1, 1).name("pool");
    }

    private static ConvolutionLayer convolution(CNN2DFormat format) {
        return new ConvolutionLayer.Builder(1, 1)
                .nOut(1)
                .dataFormat(format)
                .hasBias(false)
                .activation(Activation.RELU)
                .build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static MultiLayerNetwork prepared(MultiLayerNetwork network, INDArray features) {
        return Quantization.prepare(
                network,
                QuantSpec.of(LayerScheme.INT8),
                new SingletonDataSetIterator(
                        new DataSet(features, Nd4j.zeros(features.size(0), Networks.CLASSES))));
    }

    private static MultiLayerNetwork network(SubsamplingLayer pool, int side, CNN2DFormat format) {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.convolutional(side, side, 1, format),
                        convolution(format),
                        pool,
                        output());
        network.getLayer(0).getParam("W").assign(1);
        return network;
    }

    /** 0 to 15 as 4 x 4: the largest of each four at a distance of two. */
    @ParameterizedTest
    @EnumSource(CNN2DFormat.class)
    void maximaHaveTheirDilation(CNN2DFormat format) {
        boolean last = format == CNN2DFormat.NHWC;
        INDArray image = Nd4j.arange(16).castTo(Nd4j.dataType());
        INDArray features = image.reshape(last ? new long[] {1, 4, 4, 1} : new long[] {1, 1, 4, 4});
        SubsamplingLayer layer = pool(PoolingType.MAX).dilation(2, 2).dataFormat(format).build();
        MultiLayerNetwork prepared = prepared(network(layer, 4, format), features);
        for (boolean training : new boolean[] {false, true}) {
            float[] maxima = RowMajor.floats(prepared.feedForward(features, training).get(2));
            float scale = prepared.getLayer(0).getParam(TensorRole.OUTPUT.scaleKey()).getFloat(0);
            assertArrayEquals(new float[] {10, 11, 14, 15}, maxima, scale / 2);
        }
        if (!last) {
            try (Engine engine = Engine.open("reference", Quantization.lower(prepared))) {
                assertEquals(
                        0,
                        SimulatorCheck.between(prepared, engine).over(features).differingCodes());
            }
        }
    }

    @Test
    void dilatedMaximaOfAConvolutionAreThoseOfTheEngine() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.convolutional(9, 8, 2),
                        new ConvolutionLayer.Builder(3, 3)
                                .nOut(4)
                                .activation(Activation.RELU)
                                .build(),
                        pool(PoolingType.MAX).stride(2, 1).dilation(2, 3).padding(1, 1).build(),
                        output());
        INDArray features = Networks.normal(2, 200, 2, 9, 8);
        MultiLayerNetwork prepared = prepared(network, features);
        ComputationGraph graph = prepared.toComputationGraph();
        try (Engine engine = Engine.open("reference", Quantization.lower(prepared))) {
            SimulatorReport report = SimulatorCheck.between(prepared, engine).over(features);
            assertEquals(0, report.differingCodes(), report::toString);
            assertEquals(0, report.top1Changed(), report::toString);
        }
        assertEquals(prepared.output(features), graph.output(features)[0]);
    }

    /** The slope of a straight line through the loss, by one element of the input at a time. */
    @Test
    void gradientsOfDilatedMaximaGoToTheLargestElements() {
        SubsamplingLayer layer =
                pool(PoolingType.MAX).kernelSize(3, 2).stride(2, 1).dilation(2, 3).build();
        MultiLayerNetwork network = network(layer, 7, CNN2DFormat.NCHW);
        INDArray features = Nd4j.rand(2, 1, 7, 7).muli(10);
        MultiLayerNetwork prepared = prepared(network, features);
        org.deeplearning4j.nn.api.Layer pool = prepared.getLayer(1);
        org.deeplearning4j.nn.workspace.LayerWorkspaceMgr mgr =
                org.deeplearning4j.nn.workspace.LayerWorkspaceMgr.noWorkspaces();
        INDArray result = pool.activate(features.dup(), true, mgr);
        INDArray upstream = Networks.normal(5, result.shape());
        INDArray gradient = pool.backpropGradient(upstream, mgr).getSecond();
        double step = 1e-3;
        for (long i = 0; i < features.length(); i++) {
            INDArray moved = features.dup();
            moved.putScalar(i, features.getFloat(i) + step);
            double change =
                    pool.activate(moved, false, mgr)
                            .sub(result)
                            .muli(upstream)
                            .sumNumber()
                            .doubleValue();
            assertEquals(gradient.getDouble(i), change / step, 1e-2, "element " + i);
        }
        assertTrue(gradient.amaxNumber().doubleValue() > 0);
    }

    @Test
    void thePrepareReportTellsOfTheDilation() {
        INDArray features = Networks.normal(2, EXAMPLES, 1, 6, 6);
        PrepareReport report =
                Preparation.prepare(
                                network(
                                        pool(PoolingType.MAX).dilation(2, 2).build(),
                                        6,
                                        CNN2DFormat.NCHW),
                                QuantSpec.of(LayerScheme.INT8),
                                new SingletonDataSetIterator(
                                        new DataSet(
                                                features, Nd4j.zeros(EXAMPLES, Networks.CLASSES))))
                        .report();
        assertTrue(
                report.toString().contains("with its dilation, which DL4J ignores"),
                report::toString);
    }

    private static String refusal(SubsamplingLayer pool) {
        INDArray features = Networks.normal(2, EXAMPLES, 1, 7, 7);
        MultiLayerNetwork prepared = prepared(network(pool, 7, CNN2DFormat.NCHW), features);
        return assertThrows(LoweringException.class, () -> Quantization.lower(prepared))
                .getMessage();
    }

    @Test
    void windowsThatTheGraphLacksAreRefusedByTheLayersName() {
        String first = "layer 'pool' cannot be lowered to integers: ";
        assertEquals(
                first
                        + "it averages elements at a distance, its dilation being Extent[height=2,"
                        + " width=1]; average without dilation; DL4J itself ignores it with oneDNN",
                refusal(pool(PoolingType.AVG).dilation(2, 1).build()));
        String same =
                first
                        + "in mode Same its strides Extent[height=4, width=1] are so long that its"
                        + " first window begins inside the image; use ConvolutionMode.Truncate, or"
                        + " strides that are at most one longer than the kernel";
        for (PoolingType type : new PoolingType[] {PoolingType.MAX, PoolingType.AVG}) {
            assertEquals(
                    same,
                    refusal(
                            pool(type)
                                    .kernelSize(1, 1)
                                    .stride(4, 1)
                                    .convolutionMode(ConvolutionMode.Same)
                                    .build()));
        }
        assertEquals(
                first
                        + "its padding of [2, 0] is not below its kernel of [2, 3], so that windows"
                        + " hold padding only; give it a padding below its kernel",
                refusal(pool(PoolingType.MAX).kernelSize(2, 3).padding(2, 0).build()));
    }

    /** DL4J centres such windows: of 7 rows, stride 4 and kernel 1 see rows 1 and 5. */
    @Test
    void averagesInModeSameBeginWhereDl4jsDo() {
        INDArray features = Networks.normal(2, EXAMPLES, 1, 7, 7);
        MultiLayerNetwork network =
                network(
                        pool(PoolingType.AVG)
                                .kernelSize(1, 1)
                                .stride(4, 4)
                                .convolutionMode(ConvolutionMode.Same)
                                .build(),
                        7,
                        CNN2DFormat.NCHW);
        MultiLayerNetwork prepared = prepared(network, features);
        float[] expected = RowMajor.floats(network.feedForward(features, false).get(2));
        float[] found = RowMajor.floats(prepared.feedForward(features, false).get(2));
        float codes =
                prepared.getLayer(0).getParam(TensorRole.OUTPUT.scaleKey()).getFloat(0)
                        + prepared.getLayer(1).getParam(TensorRole.OUTPUT.scaleKey()).getFloat(0);
        assertArrayEquals(expected, found, codes);
        assertTrue(Nd4j.createFromArray(expected).amaxNumber().floatValue() > 5 * codes);
    }

    /** Keras' ReLU with a maximum after import, when training has moved the scale. */
    @Test
    void aMaximumHoldsWhateverTheScale() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(5),
                        new DenseLayer.Builder()
                                .nOut(6)
                                .activation(new ActivationReLU(6.0, 0.0, 0.0))
                                .build(),
                        output());
        INDArray features = Networks.normal(2, EXAMPLES, 5).muli(9);
        MultiLayerNetwork prepared = prepared(network, features);
        prepared.getLayer(0).getParam(TensorRole.OUTPUT.scaleKey()).assign(9 / 255.0);
        for (boolean training : new boolean[] {false, true}) {
            INDArray values = prepared.feedForward(features, training).get(1);
            assertEquals(6, values.maxNumber().doubleValue(), 4.5 / 255);
            assertEquals(0, values.minNumber().doubleValue());
        }
        for (String name : new String[] {"reference", "onnxruntime"}) {
            try (Engine engine = Engine.open(name, Quantization.lower(prepared))) {
                SimulatorReport report = SimulatorCheck.between(prepared, engine).over(features);
                assertEquals(0, report.differingCodes(), report::toString);
            }
        }
    }

    /** DL4J applies a constant gamma and beta only where both differ from 1 and 0. */
    @Test
    void constantsOfABatchNormalizationCountAsInDl4j() {
        double[][] constants = {{1, 0}, {-0.7, 0}, {1, 0.4}, {-0.7, 0.4}};
        for (double[] constant : constants) {
            MultiLayerNetwork network =
                    Networks.of(
                            InputType.feedForward(5),
                            new DenseLayer.Builder()
                                    .nOut(6)
                                    .activation(Activation.IDENTITY)
                                    .build(),
                            new BatchNormalization.Builder()
                                    .lockGammaBeta(true)
                                    .gamma(constant[0])
                                    .beta(constant[1])
                                    .build(),
                            output());
            INDArray features = Networks.normal(2, EXAMPLES, 5);
            INDArray expected = network.feedForward(features, false).get(2);
            MultiLayerNetwork prepared = prepared(network, features);
            INDArray found = prepared.feedForward(features, false).get(1);
            // 8 bits of inputs, weights and results; a lost gamma or beta is off by 0.4.
            double off = expected.sub(found).amaxNumber().doubleValue();
            assertTrue(off < 0.1, () -> off + " with " + Arrays.toString(constant));
        }
    }
}
