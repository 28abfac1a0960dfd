// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.Upsampling3D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPadding3DLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping3D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Samples of the less common layers. */
final class OtherSampleNetworks {

    private final SampleNetworks networks;

    OtherSampleNetworks(SampleNetworks networks) {
        this.networks = networks;
    }

    void add() {
        otherVectors();
        endings();
        otherSequences();
        otherVolumes();
        attention();
        alone();
        magnitudes();
    }

    private void magnitudes() {
        networks.add(
                "p-norm pooling with p = 1",
                InputType.convolutional(6, 6, 2),
                Nd4j.randn(SampleNetworks.EXAMPLES, 2, 6, 6),
                new ConvolutionLayer.Builder(1, 1).nOut(4).activation(Activation.IDENTITY).build(),
                new SubsamplingLayer.Builder(PoolingType.PNORM)
                        .pnorm(1)
                        .name(SampleNetworks.NAME)
                        .build(),
                SampleNetworks.output());
    }

    private void alone() {
        networks.add(
                "batch normalization after another layer",
                InputType.convolutional(6, 6, 2),
                Nd4j.randn(SampleNetworks.EXAMPLES, 2, 6, 6),
                new SubsamplingLayer.Builder(PoolingType.MAX).build(),
                SampleNetworks.named(new BatchNormalization()),
                SampleNetworks.output());
        networks.add(
                "local response normalization",
                InputType.convolutional(6, 6, 3),
                Nd4j.randn(SampleNetworks.EXAMPLES, 3, 6, 6),
                new ConvolutionLayer.Builder(3, 3).nOut(4).build(),
                SampleNetworks.named(new LocalResponseNormalization()),
                SampleNetworks.output());
        vertex("quotient by its length (L2NormalizeVertex)", new L2NormalizeVertex());
        vertex("multiple of a tensor (ScaleVertex)", new ScaleVertex(0.7));
        vertex("sum with a number (ShiftVertex)", new ShiftVertex(0.7));
    }

    private void vertex(String kind, GraphVertex vertex) {
        networks.add(
                kind,
                SampleNetworks.graph(SampleNetworks.VECTOR)
                        .addLayer("a", SampleNetworks.dense(), "in")
                        .addVertex(SampleNetworks.NAME, vertex, "a")
                        .addLayer("out", SampleNetworks.output(), SampleNetworks.NAME)
                        .setOutputs("out"),
                Nd4j.randn(SampleNetworks.EXAMPLES, 6),
                SampleNetworks.VECTOR,
                List.of());
    }

    private void otherVectors() {
        networks.vector(
                "dense with layer normalization",
                new DenseLayer.Builder()
                        .nOut(5)
                        .hasLayerNorm(true)
                        .name(SampleNetworks.NAME)
                        .build(),
                SampleNetworks.output());
        networks.vector(
                "autoencoder",
                new AutoEncoder.Builder()
                        .nOut(5)
                        .activation(Activation.TANH)
                        .name(SampleNetworks.NAME)
                        .build(),
                SampleNetworks.output());
        networks.vector(
                "variational autoencoder",
                SampleNetworks.named(
                        new VariationalAutoencoder.Builder()
                                .encoderLayerSizes(6)
                                .decoderLayerSizes(6)
                                .nOut(4)
                                .build()),
                SampleNetworks.output());
        networks.vector(
                "element-wise multiplication",
                new ElementWiseMultiplicationLayer.Builder()
                        .nIn(6)
                        .nOut(6)
                        .activation(Activation.TANH)
                        .name(SampleNetworks.NAME)
                        .build(),
                SampleNetworks.output());
    }

    private void endings() {
        networks.vector(
                "output layer with center loss",
                SampleNetworks.dense(),
                new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .name(SampleNetworks.NAME)
                        .build());
    }

    private void otherSequences() {
        networks.sequence(
                "TimeDistributed(dense)",
                new TimeDistributed(new DenseLayer.Builder().nOut(4).build()));
        networks.add(
                "output layer of sequences",
                SampleNetworks.SEQUENCE,
                Nd4j.randn(SampleNetworks.EXAMPLES, 4, SampleNetworks.TIMES),
                new LSTM.Builder().nOut(4).build(),
                SampleNetworks.named(SampleNetworks.sequenceOutput()));
        steps("locally connected 1D", locallyConnected1D());
        steps("max pooling 1D", pool1D(PoolingType.MAX));
        steps("average pooling 1D", pool1D(PoolingType.AVG));
        steps("upsampling 1D", new Upsampling1D.Builder(2).build());
        steps("zero padding 1D", new ZeroPadding1DLayer.Builder(1).build());
        steps("cropping 1D", new Cropping1D.Builder(1).build());
        networks.sequence(
                "recurrent attention",
                new RecurrentAttentionLayer.Builder()
                        .nIn(4)
                        .nOut(4)
                        .nHeads(1)
                        .projectInput(true)
                        .build());
    }

    private static Layer locallyConnected1D() {
        return new LocallyConnected1D.Builder().kernelSize(2).nOut(3).build();
    }

    /** After a convolution of steps, where its input is codes. */
    private void steps(String kind, Layer layer) {
        networks.add(
                kind,
                SampleNetworks.SEQUENCE,
                Nd4j.randn(SampleNetworks.EXAMPLES, 4, SampleNetworks.TIMES),
                new Convolution1DLayer.Builder(1).nOut(4).activation(Activation.IDENTITY).build(),
                SampleNetworks.named(layer),
                new GlobalPoolingLayer(PoolingType.MAX),
                SampleNetworks.output());
    }

    private void otherVolumes() {
        volume("upsampling 3D", new Upsampling3D.Builder(2).build());
        volume("zero padding 3D", new ZeroPadding3DLayer.Builder(1, 1, 1).build());
        volume("max pooling 3D", pool3D(PoolingType.MAX));
        volume("average pooling 3D", pool3D(PoolingType.AVG));
        volume("cropping 3D", new Cropping3D.Builder(1, 1, 1).build());
        volume(
                "transposed convolution 3D",
                new Deconvolution3D.Builder()
                        .dataFormat(Convolution3D.DataFormat.NCDHW)
                        .kernelSize(2, 2, 2)
                        .stride(2, 2, 2)
                        .nOut(3)
                        .activation(Activation.RELU)
                        .build());
    }

    /* DL4J forgets a type that is given to the constructor. */
    private static Layer pool1D(PoolingType type) {
        return new Subsampling1DLayer.Builder().poolingType(type).build();
    }

    private static Layer pool3D(PoolingType type) {
        return new Subsampling3DLayer.Builder(type).kernelSize(2, 2, 2).stride(2, 2, 2).build();
    }

    /** After a convolution of volumes, where its input is codes. */
    private void volume(String kind, Layer layer) {
        networks.add(
                kind,
                SampleNetworks.VOLUME,
                Nd4j.randn(SampleNetworks.EXAMPLES, 2, 4, 4, 4),
                new Convolution3D.Builder(1, 1, 1).nOut(2).activation(Activation.IDENTITY).build(),
                SampleNetworks.named(layer),
                new GlobalPoolingLayer(PoolingType.MAX),
                SampleNetworks.output());
    }

    private void attention() {
        attention("attention of three inputs (AttentionVertex)", 2, true);
        attention("attention of three inputs without projections", 1, false);
    }

    private void attention(String kind, int heads, boolean projects) {
        GraphBuilder builder =
                SampleNetworks.graph(SampleNetworks.SEQUENCE)
                        .addLayer("a", new LSTM.Builder().nOut(4).build(), "in")
                        .addVertex(
                                SampleNetworks.NAME,
                                new AttentionVertex.Builder()
                                        .nInKeys(4)
                                        .nInQueries(4)
                                        .nInValues(4)
                                        .nOut(4)
                                        .nHeads(heads)
                                        .projectInput(projects)
                                        .build(),
                                "a",
                                "a",
                                "a")
                        .addLayer("out", SampleNetworks.sequenceOutput(), SampleNetworks.NAME);
        networks.add(
                kind,
                builder.setOutputs("out"),
                Nd4j.randn(SampleNetworks.EXAMPLES, 4, SampleNetworks.TIMES),
                SampleNetworks.SEQUENCE,
                List.of());
    }
}
