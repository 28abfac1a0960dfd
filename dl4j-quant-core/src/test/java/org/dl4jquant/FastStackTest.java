// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Method;
import org.bytedeco.javacpp.Loader;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNBatchNormHelper;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNConvHelper;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNSubsamplingHelper;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.Nd4jCpu;

/**
 * Our float baselines are DL4J with oneDNN, several times faster than DL4J out of the box; these
 * tests say that it is in use.
 */
final class FastStackTest {

    private static final String BINDINGS = "org.nd4j.linalg.cpu.nativecpu.bindings.Nd4jCpu";

    /* Two float32 convolutions of 9 products that add in different orders. */
    private static final double TOLERANCE = 1e-5;

    @BeforeEach
    void onlyTheCpuBackendHasIt() {
        assumeTrue(
                Nd4j.getEnvironment().isCPU(),
                "not run: another ND4J backend than the CPU is in use");
    }

    @Test
    void theNativeLibraryIsTheOneBuiltWithOneDnn() throws ReflectiveOperationException {
        assumeTrue(
                System.getProperty("os.arch").matches("amd64|x86_64"),
                "not run: ND4J has oneDNN on x86-64 only");
        String library = Loader.load(Class.forName(BINDINGS));
        assertTrue(library.contains("onednn"), library);
    }

    @Test
    void convolutionPoolingAndNormalizationUseOneDnn() {
        MultiLayerNetwork network = network();
        network.output(image());
        assertAll(
                () -> assertInstanceOf(MKLDNNConvHelper.class, network.getLayer(0).getHelper()),
                () ->
                        assertInstanceOf(
                                MKLDNNBatchNormHelper.class, network.getLayer(1).getHelper()),
                () ->
                        assertInstanceOf(
                                MKLDNNSubsamplingHelper.class, network.getLayer(2).getHelper()));
    }

    @Test
    void oneDnnComputesWhatDl4jComputesWithoutIt() {
        MultiLayerNetwork fast = network();
        String property = "org.eclipse.deeplearning4j.helpers.disable";
        System.setProperty(property, "true");
        try {
            MultiLayerNetwork plain = new MultiLayerNetwork(fast.getLayerWiseConfigurations());
            plain.init(fast.params().dup(), false);
            assertEquals(0, fast.output(image()).distance2(plain.output(image())), TOLERANCE);
        } finally {
            System.setProperty(property, "false");
        }
    }

    @Test
    void oneDnnIsRefusedWhenNd4jSwitchesItOff() throws ReflectiveOperationException {
        Object environment =
                Class.forName(BINDINGS + "$Environment").getMethod("getInstance").invoke(null);
        Method use = environment.getClass().getMethod("setUseONEDNN", boolean.class);
        assertTrue(Nd4jCpu.Environment.getInstance().isUseMKLDNN());
        use.invoke(environment, false);
        try {
            assertFalse(Nd4jCpu.Environment.getInstance().isUseMKLDNN());
        } finally {
            use.invoke(environment, true);
        }
    }

    private static MultiLayerNetwork network() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(7)
                                .list()
                                .layer(
                                        new ConvolutionLayer.Builder(3, 3)
                                                .nOut(4)
                                                .activation(Activation.RELU)
                                                .build())
                                .layer(new BatchNormalization())
                                .layer(new SubsamplingLayer.Builder().kernelSize(2, 2).build())
                                .layer(
                                        new OutputLayer.Builder()
                                                .nOut(3)
                                                .activation(Activation.SOFTMAX)
                                                .build())
                                .setInputType(InputType.convolutional(8, 8, 1))
                                .build());
        network.init();
        return network;
    }

    private static INDArray image() {
        return Nd4j.linspace(DataType.FLOAT, -1, 1.0 / 64, 2 * 64).reshape(2, 1, 8, 8);
    }
}
