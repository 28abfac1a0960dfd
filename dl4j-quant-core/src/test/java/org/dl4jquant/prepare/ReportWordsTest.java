// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;

/** The report says of each layer what is so. */
class ReportWordsTest {

    private static MultiLayerNetwork network() {
        return Networks.of(
                InputType.convolutional(8, 8, 1),
                pool("first"),
                new ConvolutionLayer.Builder(2, 2).name("conv").nOut(3).build(),
                pool("pool"),
                new DenseLayer.Builder().name("dense").nOut(4).activation(Activation.RELU).build(),
                new OutputLayer.Builder().name("last").nOut(Networks.CLASSES).build());
    }

    private static SubsamplingLayer pool(String name) {
        return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                .name(name)
                .kernelSize(2, 2)
                .stride(1, 1)
                .build();
    }

    private static PrepareReport report(QuantSpec spec) {
        return Preparation.prepare(network(), spec, Networks.batches(Networks.data(16, 1, 8, 8)))
                .report();
    }

    private static String line(PrepareReport report, String layer) {
        return report.toString()
                .lines()
                .filter(line -> line.startsWith(layer + " "))
                .findFirst()
                .orElseThrow()
                .replaceAll(" +", " ");
    }

    @Test
    void halfPrecisionIsNoWidthOfIntegers() {
        PrepareReport report = report(QuantSpec.of(LayerScheme.FP16));
        assertEquals(
                "conv ConvolutionLayer fp16 no rounds its input, rounded before its activation"
                        + " function, result in half precision",
                line(report, "conv"));
        assertFalse(report.toString().contains("w16"), report.toString());
        assertEquals(
                "w4 afp16",
                new LayerScheme(LayerScheme.ofBits(4, 4).weights(), LayerScheme.FP16.activations())
                        .widths());
    }

    @Test
    void aMaxPoolPassesOnWhatItReads() {
        PrepareReport report = report(QuantSpec.of(LayerScheme.INT8));
        assertEquals(
                "pool SubsamplingLayer codes yes passes codes on as they are",
                line(report, "pool"));
        assertTrue(report.layer("pool").codes());
        assertEquals(
                "first SubsamplingLayer codes yes passes codes on as they are",
                line(report, "first"));
        PrepareReport floats =
                report(
                        QuantSpec.of(LayerScheme.INT8)
                                .with(LayerSelector.named("conv"), LayerScheme.FLOAT));
        assertEquals(
                "first SubsamplingLayer float no passes values on as they are: those that it reads are"
                        + " in float",
                line(floats, "first"));
        assertFalse(floats.layer("first").codes());
    }

    @Test
    void whatNothingReadsAsCodesStaysInFloat() {
        PrepareReport report =
                report(
                        QuantSpec.of(LayerScheme.INT8)
                                .with(LayerSelector.named("dense"), LayerScheme.FLOAT)
                                .with(LayerSelector.named("last"), LayerScheme.FLOAT));
        assertEquals(
                "conv ConvolutionLayer w8 a8 yes input from 'input/quantized', result in float",
                line(report, "conv"));
        assertTrue(line(report, "pool").startsWith("pool SubsamplingLayer float "));
    }

    @Test
    void aSumNamesTheLayerThatRoundsIt() {
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.feedForward(6))
                                .addLayer("a", new DenseLayer.Builder().nOut(6).build(), "in")
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "a",
                                        "in")
                                .addLayer("relu", new ActivationLayer(Activation.RELU), "sum")
                                .addLayer("out", new OutputLayer.Builder().nOut(3).build(), "relu")
                                .setOutputs("out")
                                .build());
        graph.init();
        PrepareReport report =
                Preparation.prepare(
                                graph,
                                QuantSpec.of(LayerScheme.INT8),
                                Networks.batches(Networks.data(16, 6)))
                        .report();
        assertEquals("rounded by 'relu', which follows", report.layer("sum").remark());
        assertTrue(line(report, "sum").startsWith("sum ElementWiseVertex codes "));
    }
}
