// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CapsuleLayer;
import org.deeplearning4j.nn.conf.layers.CapsuleStrengthLayer;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.PrimaryCapsules;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToBatchLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.prepare.Networks;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Networks in which DL4J's layers and vertices stand in each other's way: frozen, wrapped, fused,
 * summed, joined, at the network's ends.
 */
@SuppressWarnings({"deprecation", "rawtypes"}) // GravesBidirectionalLSTM; raw builders of DL4J
public final class GoldenNetworks {

    static final int EXAMPLES = 4;
    static final int TIMES = 5;
    static final InputType IMAGE = InputType.convolutional(8, 8, 2);
    static final InputType SEQUENCE = InputType.recurrent(4, TIMES);
    static final InputType VECTOR = InputType.feedForward(6);

    /**
     * A network.
     *
     * @param name its name in the golden reports
     * @param network initialized, in float
     * @param data the data that it is prepared on
     */
    public record Named(String name, Model network, DataSet data) {}

    private final Map<String, Named> all = new LinkedHashMap<>();

    /** {@return all of them} */
    public static List<Named> all() {
        GoldenNetworks networks = new GoldenNetworks();
        networks.fusedImages();
        networks.imageOptions();
        networks.imageEnds();
        networks.vectors();
        networks.sequences();
        networks.volumes();
        networks.frozen();
        new GoldenGraphs(networks).add();
        return List.copyOf(networks.all.values());
    }

    private void fusedImages() {
        image(
                "fused with normalization and ReLU",
                convolution(4),
                new BatchNormalization(),
                relu());
        image("fused with a function, no normalization", convolution(4), function(Activation.TANH));
        image("not fused: the function is its own", active(Activation.RELU), relu());
        image("not fused: normalization after ReLU", active(Activation.RELU), normalization());
        image("normalization first", normalization(), convolution(3));
        image("two normalizations", convolution(3), normalization(), normalization(), relu());
        image("softmax in the middle", convolution(3), function(Activation.SOFTMAX));
        image("dropout between", convolution(3), new DropoutLayer(0.5), normalization());
        image(
                "a chain that moves codes",
                active(Activation.RELU),
                new ZeroPaddingLayer(1, 1),
                new Cropping2D(1, 0),
                new Upsampling2D.Builder(2).build(),
                new SpaceToDepthLayer.Builder(2, CNN2DFormat.NCHW).build(),
                pool(PoolingType.MAX),
                convolution(2));
        image("space to batch", active(Activation.RELU), spaceToBatch(), pool(PoolingType.MAX));
        image(
                "codes through pools",
                pool(PoolingType.MAX),
                convolution(3),
                pool(PoolingType.AVG),
                convolution(2),
                function(Activation.SIGMOID),
                new GlobalPoolingLayer(PoolingType.AVG));
        image("weight noise and dropout", noisy());
        image("response normalization", convolution(3), new LocalResponseNormalization());
        image(
                "locally normalized dense",
                new DenseLayer.Builder().hasLayerNorm(true).nOut(5).build());
    }

    private static Layer noisy() {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(3)
                .activation(Activation.RELU)
                .dropOut(0.8)
                .weightNoise(new DropConnect(0.9))
                .build();
    }

    private static Layer spaceToBatch() {
        return new SpaceToBatchLayer.Builder(new int[] {2, 2}).build();
    }

    private void imageOptions() {
        for (ConvolutionMode mode :
                List.of(ConvolutionMode.Same, ConvolutionMode.Strict, ConvolutionMode.Truncate)) {
            image(
                    "convolution and pools in mode " + mode,
                    new ConvolutionLayer.Builder(3, 2)
                            .nOut(3)
                            .stride(mode == ConvolutionMode.Strict ? 1 : 2, 1)
                            .convolutionMode(mode)
                            .hasBias(false)
                            .activation(Activation.RELU6)
                            .build(),
                    new SubsamplingLayer.Builder(PoolingType.AVG)
                            .kernelSize(2, 2)
                            .stride(1, 1)
                            .convolutionMode(mode)
                            .build());
        }
        image(
                "long strides in mode Same",
                new ConvolutionLayer.Builder(1, 1)
                        .nOut(2)
                        .stride(3, 3)
                        .convolutionMode(ConvolutionMode.Same)
                        .build());
        image(
                "dilated average",
                new SubsamplingLayer.Builder(PoolingType.AVG).dilation(2, 2).build(),
                convolution(2));
        image(
                "dilated maximum",
                new SubsamplingLayer.Builder(PoolingType.MAX).dilation(2, 2).build(),
                convolution(2));
        for (PoolingType type : PoolingType.values()) {
            image(
                    "pooled by " + type,
                    convolution(2),
                    new SubsamplingLayer.Builder(type == PoolingType.SUM ? PoolingType.MAX : type)
                            .pnorm(2)
                            .build(),
                    convolution(2),
                    new GlobalPoolingLayer.Builder(type).pnorm(2).build());
        }
        image(
                "global pool that keeps its dimensions",
                convolution(2),
                new GlobalPoolingLayer.Builder(PoolingType.AVG).collapseDimensions(false).build());
        image(
                "global pool of one dimension",
                convolution(2),
                new GlobalPoolingLayer.Builder(PoolingType.MAX).poolingDimensions(3).build());
        add(
                "channels last",
                InputType.convolutional(8, 8, 2, CNN2DFormat.NHWC),
                Networks.normal(3, EXAMPLES, 8, 8, 2),
                new ConvolutionLayer.Builder(3, 3)
                        .nOut(3)
                        .dataFormat(CNN2DFormat.NHWC)
                        .activation(Activation.RELU)
                        .build(),
                new SubsamplingLayer.Builder(PoolingType.AVG).dataFormat(CNN2DFormat.NHWC).build(),
                output());
    }

    private void imageEnds() {
        ending(
                "images end with a loss",
                active(Activation.RELU),
                new CnnLossLayer.Builder().build());
        ending(
                "images end with a grid of boxes",
                convolution(14),
                new Yolo2OutputLayer.Builder()
                        .boundingBoxPriors(
                                Nd4j.createFromArray(new float[][] {{1, 2}, {2.5f, 0.5f}}))
                        .build());
        ending("images end with a pool", convolution(3), pool(PoolingType.AVG), noLoss());
        ending(
                "images end with a function and a pool",
                convolution(3),
                relu(),
                new GlobalPoolingLayer(PoolingType.MAX),
                new LossLayer.Builder(LossFunction.MSE).activation(Activation.SOFTMAX).build());
        ending(
                "capsules",
                new PrimaryCapsules.Builder(2, 2).kernelSize(3, 3).stride(2, 2).build(),
                new CapsuleLayer.Builder(3, 2, 1).build(),
                new CapsuleStrengthLayer.Builder().build(),
                new LossLayer.Builder(LossFunction.MSE).build());
    }

    private void ending(String name, Layer... layers) {
        add(name, IMAGE, Networks.normal(3, EXAMPLES, 2, 8, 8), layers);
    }

    private static Layer noLoss() {
        return new CnnLossLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY).build();
    }

    private void vectors() {
        for (Activation activation :
                List.of(
                        Activation.ELU,
                        Activation.HARDSIGMOID,
                        Activation.LEAKYRELU,
                        Activation.RELU6,
                        Activation.RRELU,
                        Activation.SOFTMAX,
                        Activation.SWISH,
                        Activation.THRESHOLDEDRELU)) {
            vector("dense with " + activation, dense(activation), output());
            vector("dense, then " + activation, dense(), function(activation), output());
        }
        vector("the function is the user's own", ownFunction(), output());
        vector("autoencoder", new AutoEncoder.Builder().nOut(5).build(), output());
        vector("multiplication", multiplication(), output());
        vector("variational autoencoder", variational(), output());
        vector("center loss", dense(), centerLoss());
        vector("regression", dense(Activation.RELU), regression());
        vector("loss alone at the end", dense(Activation.RELU), dense(), loss());
        vector("scores through two functions", dense(), function(Activation.RELU), loss());
        vector(
                "repeated over time",
                dense(Activation.RELU),
                new RepeatVector.Builder(3).build(),
                new LSTM.Builder().nOut(3).build(),
                new GlobalPoolingLayer(PoolingType.MAX),
                output());
        vector("fused dense", dense(), normalization(), relu(), output());
        vector("one dense layer", output());
    }

    private static Layer ownFunction() {
        return new DenseLayer.Builder().nOut(4).activation(new org.example.OwnActivation()).build();
    }

    private static Layer multiplication() {
        return new ElementWiseMultiplicationLayer.Builder().nIn(6).nOut(6).build();
    }

    private static Layer variational() {
        return new VariationalAutoencoder.Builder()
                .encoderLayerSizes(6)
                .decoderLayerSizes(6)
                .nOut(4)
                .build();
    }

    private static Layer centerLoss() {
        return new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static Layer regression() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(2)
                .hasBias(false)
                .activation(Activation.TANH)
                .build();
    }

    static Layer loss() {
        return new LossLayer.Builder(LossFunction.MCXENT).activation(Activation.SOFTMAX).build();
    }

    private void sequences() {
        sequence("recurrent layers in a row", lstm(), new SimpleRnn.Builder().nOut(3).build());
        sequence(
                "graves in both directions", new GravesBidirectionalLSTM.Builder().nOut(3).build());
        for (Bidirectional.Mode mode : Bidirectional.Mode.values()) {
            sequence("both directions, " + mode, new Bidirectional(mode, lstm()));
        }
        sequence(
                "both directions of simple cells",
                new Bidirectional(new SimpleRnn.Builder().nOut(3).build()));
        sequence("masked zeros", new MaskZeroLayer(lstm(), 0));
        sequence("time distributed", new TimeDistributed(dense(Activation.RELU)));
        sequence("time distributed, frozen inside", new TimeDistributed(new FrozenLayer(dense())));
        sequence("attention", attention(true));
        sequence("attention without projection", attention(false));
        for (ConvolutionMode mode : List.of(ConvolutionMode.Same, ConvolutionMode.Causal)) {
            sequence(
                    "convolution 1D in mode " + mode,
                    new Convolution1DLayer.Builder(3)
                            .nOut(3)
                            .convolutionMode(mode)
                            .activation(Activation.RELU)
                            .build());
        }
        sequence("convolution 1D, fused", convolution1D(), relu());
        lastStep("last step", new LastTimeStep(lstm()));
        lastStep("last step in both directions", new LastTimeStep(new Bidirectional(lstm())));
        lastStep("last step of masked zeros", new LastTimeStep(new MaskZeroLayer(lstm(), 0)));
        lastStep("last step of a frozen layer", new LastTimeStep(new FrozenLayer(lstm())));
        lastStep("pooled sequence", lstm(), new GlobalPoolingLayer(PoolingType.AVG));
        add(
                "sequences end with a loss",
                SEQUENCE,
                Networks.normal(3, EXAMPLES, 4, TIMES),
                lstm(),
                new RnnLossLayer.Builder(LossFunction.MSE).activation(Activation.TANH).build());
    }

    static Layer lstm() {
        return new LSTM.Builder().nOut(4).build();
    }

    private static Layer convolution1D() {
        return new Convolution1DLayer.Builder(3).nOut(3).activation(Activation.IDENTITY).build();
    }

    private static Layer attention(boolean projects) {
        SelfAttentionLayer.Builder layer = new SelfAttentionLayer.Builder();
        return projects
                ? layer.nOut(4).nHeads(2).projectInput(true).build()
                : layer.nIn(4).nOut(4).nHeads(1).projectInput(false).build();
    }

    private void sequence(String name, Layer... layers) {
        List<Layer> all = new ArrayList<>(List.of(layers));
        all.add(
                new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(Networks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build());
        INDArray features = Networks.normal(3, EXAMPLES, 4, TIMES);
        add(name, SEQUENCE, features, all.toArray(Layer[]::new));
    }

    private void lastStep(String name, Layer... layers) {
        List<Layer> all = new ArrayList<>(List.of(layers));
        all.add(output());
        INDArray features = Networks.normal(3, EXAMPLES, 4, TIMES);
        add(name, SEQUENCE, features, all.toArray(Layer[]::new));
    }

    private void volumes() {
        volume(
                "volumes",
                convolution3D(),
                new Subsampling3DLayer.Builder(PoolingType.MAX).kernelSize(2, 2, 2).build(),
                output());
        volume(
                "averaged volumes",
                convolution3D(),
                new Subsampling3DLayer.Builder(PoolingType.AVG).kernelSize(2, 2, 2).build(),
                output());
        volume(
                "transposed convolution of volumes",
                new Deconvolution3D.Builder()
                        .dataFormat(Convolution3D.DataFormat.NCDHW)
                        .kernelSize(2, 2, 2)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build(),
                relu(),
                output());
        volume(
                "volumes end with a loss",
                convolution3D(),
                new Cnn3DLossLayer.Builder(Convolution3D.DataFormat.NCDHW)
                        .lossFunction(LossFunction.MSE)
                        .activation(Activation.IDENTITY)
                        .build());
    }

    private static Layer convolution3D() {
        return new Convolution3D.Builder(2, 2, 2)
                .dataFormat(Convolution3D.DataFormat.NCDHW)
                .nOut(3)
                .activation(Activation.IDENTITY)
                .build();
    }

    private void volume(String name, Layer... layers) {
        add(
                name,
                InputType.convolutional3D(Convolution3D.DataFormat.NCDHW, 4, 4, 4, 2),
                Networks.normal(3, EXAMPLES, 2, 4, 4, 4),
                layers);
    }

    private void frozen() {
        image(
                "frozen, fused",
                new FrozenLayer(convolution(3)),
                frozen(normalization()),
                frozen(relu()));
        image("frozen, not fused", new FrozenLayer(convolution(3)), normalization(), relu());
        image("frozen with gradients", new FrozenLayerWithBackprop(active(Activation.RELU)));
        image("frozen pool", convolution(3), frozen(pool(PoolingType.AVG)));
        image("frozen max pool", convolution(3), frozen(pool(PoolingType.MAX)));
        sequence("frozen recurrence", new FrozenLayer(lstm()));
        sequence("frozen in both directions", new FrozenLayer(new Bidirectional(lstm())));
        vector("frozen twice", new FrozenLayer(new FrozenLayerWithBackprop(dense())), output());
        image("frozen dropout", convolution(3), frozen(new DropoutLayer(0.5)), convolution(2));
    }

    private static Layer frozen(Layer layer) {
        return new FrozenLayer(layer);
    }

    private void image(String name, Layer... layers) {
        List<Layer> all = new ArrayList<>(List.of(layers));
        all.add(output());
        add(name, IMAGE, Networks.normal(3, EXAMPLES, 2, 8, 8), all.toArray(Layer[]::new));
    }

    private void vector(String name, Layer... layers) {
        add(name, VECTOR, Networks.normal(3, EXAMPLES, 6), layers);
    }

    static Layer convolution(int channels) {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(channels)
                .convolutionMode(ConvolutionMode.Same)
                .activation(Activation.IDENTITY)
                .build();
    }

    static Layer active(Activation activation) {
        return new ConvolutionLayer.Builder(3, 3).nOut(4).activation(activation).build();
    }

    static Layer normalization() {
        return new BatchNormalization();
    }

    static Layer relu() {
        return function(Activation.RELU);
    }

    static Layer function(Activation activation) {
        return new ActivationLayer(activation);
    }

    static Layer pool(PoolingType type) {
        return new SubsamplingLayer.Builder(type).kernelSize(2, 2).stride(2, 2).build();
    }

    static Layer dense() {
        return dense(Activation.IDENTITY);
    }

    static Layer dense(Activation activation) {
        return new DenseLayer.Builder().nOut(6).activation(activation).build();
    }

    static Layer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    static NeuralNetConfiguration.Builder common() {
        return new NeuralNetConfiguration.Builder().seed(5);
    }

    private void add(String name, InputType input, INDArray features, Layer... layers) {
        NeuralNetConfiguration.ListBuilder list = common().list();
        for (Layer layer : layers) {
            list.layer(layer);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
        network.init();
        add(name, network, features, network.output(features.dup()));
    }

    void add(String name, Model network, INDArray features, INDArray result) {
        DataSet data = new DataSet(features, Nd4j.zeros(result.shape()));
        if (all.put(name, new Named(name, network, data)) != null) {
            throw new IllegalArgumentException("two networks are called " + name);
        }
    }
}
