// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * One small network for each kind of DL4J layer; the layer of interest is named. The table of
 * layers in docs and the tests of every layer are made from it, so that a kind that is added here
 * is prepared, trained, saved, restored, lowered and documented; {@code SampleNetworksTest} demands
 * a sample of each class of layer.
 */
@SuppressWarnings("deprecation") // GravesLSTM
public final class SampleNetworks {

    /** The name of the layer or vertex of interest. */
    public static final String NAME = "it";

    static final int EXAMPLES = 4;
    static final int TIMES = 5;
    private static final int CLASSES = 3;
    private static final InputType IMAGE = InputType.convolutional(6, 6, 2);
    static final InputType VOLUME = InputType.convolutional3D(4, 4, 4, 2);
    static final InputType SEQUENCE = InputType.recurrent(4, TIMES);
    static final InputType VECTOR = InputType.feedForward(6);

    private final List<Kind> kinds = new ArrayList<>();

    /**
     * A network around one layer, and data for it.
     *
     * @param name in the table of docs
     * @param network initialized, in float
     * @param data examples with one-hot labels
     * @param input the type of its input
     * @param layers its layers, one after the other; empty if a vertex is between
     */
    public record Kind(
            String name,
            ComputationGraph network,
            DataSet data,
            InputType input,
            List<Layer> layers) {

        @Override
        public String toString() {
            return name;
        }

        /**
         * {@return whether the layer of interest, in a chain, is quantized with weights of its own}
         */
        public boolean isWeightedLayer() {
            org.deeplearning4j.nn.api.Layer layer = network.getLayer(NAME);
            return !layers.isEmpty()
                    && layer.numParams() > 0
                    && !(layer.conf().getLayer() instanceof BatchNormalization);
        }

        /** {@return copies of its layers} */
        public List<Layer> copies() {
            return layers.stream().map(Layer::clone).toList();
        }
    }

    /** {@return every kind, each with an initialized float network} */
    public static List<Kind> all() {
        SampleNetworks all = new SampleNetworks();
        all.addCommon();
        new OtherSampleNetworks(all).add();
        return all.kinds;
    }

    private void addCommon() {
        images();
        vectors();
        sequences();
        joints();
    }

    private void images() {
        image("convolution 2D", new ConvolutionLayer.Builder(3, 3).nOut(4));
        image("depthwise convolution", new DepthwiseConvolution2D.Builder(3, 3));
        image("separable convolution", new SeparableConvolution2D.Builder(3, 3).nOut(4));
        image("transposed convolution", new Deconvolution2D.Builder(3, 3).nOut(4));
        add(
                "convolution 1D",
                SEQUENCE,
                Nd4j.randn(EXAMPLES, 4, TIMES),
                new Convolution1DLayer.Builder(3).nOut(4).name(NAME).build(),
                new GlobalPoolingLayer(PoolingType.MAX),
                output());
        add(
                "convolution 3D",
                VOLUME,
                Nd4j.randn(EXAMPLES, 2, 4, 4, 4),
                new Convolution3D.Builder(2, 2, 2).nOut(3).name(NAME).build(),
                output());
        image("locally connected 2D", locallyConnected());
        image("batch normalization after a convolution", named(new BatchNormalization()));
        image("max pooling", new SubsamplingLayer.Builder(PoolingType.MAX).name(NAME).build());
        image("average pooling", new SubsamplingLayer.Builder(PoolingType.AVG).name(NAME).build());
        image("global max pooling", named(new GlobalPoolingLayer(PoolingType.MAX)));
        image("global average pooling", named(new GlobalPoolingLayer(PoolingType.AVG)));
        image("global sum pooling", named(new GlobalPoolingLayer(PoolingType.SUM)));
        image("upsampling", new Upsampling2D.Builder(2).name(NAME).build());
        image("PReLU", new PReLULayer.Builder().inputShape(4, 6, 6).name(NAME).build());
    }

    private static Layer locallyConnected() {
        return new LocallyConnected2D.Builder().kernelSize(3, 3).nOut(3).name(NAME).build();
    }

    static Layer named(Layer layer) {
        layer.setLayerName(NAME);
        return layer;
    }

    private void image(String kind, ConvolutionLayer.BaseConvBuilder<?> builder) {
        add(
                kind,
                IMAGE,
                Nd4j.randn(EXAMPLES, 2, 6, 6),
                builder.activation(Activation.RELU).name(NAME).build(),
                output());
    }

    /** After a convolution, where its input is codes. */
    private void image(String kind, Layer layer) {
        Layer before =
                new ConvolutionLayer.Builder(1, 1).nOut(4).activation(Activation.IDENTITY).build();
        add(kind, IMAGE, Nd4j.randn(EXAMPLES, 2, 6, 6), before, layer, output());
    }

    private void vectors() {
        vector(
                "dense",
                new DenseLayer.Builder().nOut(5).activation(Activation.RELU).name(NAME).build(),
                output());
        vector("output layer", dense(), named(output()));
        for (Activation activation :
                List.of(Activation.RELU, Activation.LEAKYRELU, Activation.TANH)) {
            ActivationLayer layer = new ActivationLayer(activation);
            vector("activation layer, " + name(activation), dense(), named(layer), output());
        }
        INDArray indices =
                Nd4j.createFromArray(IntStream.range(0, EXAMPLES).mapToDouble(i -> i).toArray())
                        .castTo(Nd4j.dataType())
                        .reshape(EXAMPLES, 1);
        add(
                "embedding",
                InputType.feedForward(EXAMPLES),
                indices,
                new EmbeddingLayer.Builder().nIn(EXAMPLES).nOut(5).name(NAME).build(),
                output());
        add(
                "embedding of sequences",
                InputType.feedForward(EXAMPLES),
                Nd4j.concat(1, indices, indices),
                new EmbeddingSequenceLayer.Builder()
                        .nIn(EXAMPLES)
                        .nOut(5)
                        .inputLength(2)
                        .name(NAME)
                        .build(),
                new GlobalPoolingLayer(PoolingType.MAX),
                output());
    }

    private static String name(Activation activation) {
        return switch (activation) {
            case RELU -> "ReLU";
            case LEAKYRELU -> "leaky ReLU";
            default -> "tanh";
        };
    }

    void vector(String kind, Layer... layers) {
        add(kind, VECTOR, Nd4j.randn(EXAMPLES, 6), layers);
    }

    private void sequences() {
        sequence("LSTM", new LSTM.Builder().nOut(4).build());
        sequence("GravesLSTM", new GravesLSTM.Builder().nOut(4).build());
        sequence("SimpleRnn", new SimpleRnn.Builder().nOut(4).build());
        sequence("Bidirectional(LSTM)", new Bidirectional(new LSTM.Builder().nOut(4).build()));
        add(
                "LastTimeStep(LSTM)",
                SEQUENCE,
                Nd4j.randn(EXAMPLES, 4, TIMES),
                named(new LastTimeStep(new LSTM.Builder().nOut(4).build())),
                output());
        sequence(
                "self-attention",
                new SelfAttentionLayer.Builder().nOut(4).nHeads(2).projectInput(true).build());
    }

    void sequence(String kind, Layer layer) {
        add(kind, SEQUENCE, Nd4j.randn(EXAMPLES, 4, TIMES), named(layer), sequenceOutput());
    }

    static Layer sequenceOutput() {
        return new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .nOut(CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private void joints() {
        joint("sum of two tensors (residual)", new ElementWiseVertex(ElementWiseVertex.Op.Add));
        joint("concatenation (MergeVertex)", new MergeVertex());
        joint("product of two tensors", new ElementWiseVertex(ElementWiseVertex.Op.Product));
        joint("difference of two tensors", new ElementWiseVertex(ElementWiseVertex.Op.Subtract));
        joint("maximum of two tensors", new ElementWiseVertex(ElementWiseVertex.Op.Max));
        joint("mean of two tensors", new ElementWiseVertex(ElementWiseVertex.Op.Average));
    }

    private void joint(String kind, GraphVertex vertex) {
        GraphBuilder builder =
                graph(VECTOR)
                        .addLayer("a", dense(), "in")
                        .addLayer("b", dense(), "a")
                        .addVertex(NAME, vertex, "a", "b")
                        .addLayer("out", output(), NAME);
        add(kind, builder.setOutputs("out"), Nd4j.randn(EXAMPLES, 6), VECTOR, List.of());
    }

    static DenseLayer dense() {
        return new DenseLayer.Builder().nOut(6).activation(Activation.IDENTITY).build();
    }

    static Layer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    void add(String kind, InputType input, INDArray features, Layer... layers) {
        GraphBuilder builder = graph(input);
        List<Layer> copies = new ArrayList<>();
        String previous = "in";
        for (int i = 0; i < layers.length; i++) {
            String name = NAME.equals(layers[i].getLayerName()) ? NAME : "layer" + i;
            layers[i].setLayerName(name);
            copies.add(layers[i].clone());
            builder.addLayer(name, layers[i], previous);
            previous = name;
        }
        add(kind, builder.setOutputs(previous), features, input, copies);
    }

    static GraphBuilder graph(InputType input) {
        return new NeuralNetConfiguration.Builder()
                .seed(3)
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(input);
    }

    void add(
            String name,
            GraphBuilder builder,
            INDArray features,
            InputType input,
            List<Layer> layers) {
        ComputationGraph network = new ComputationGraph(builder.build());
        network.init();
        boolean perStep = network.getOutputLayer(0).conf().getLayer() instanceof RnnOutputLayer;
        DataSet data = new DataSet(features, perStep ? labelsOfSteps() : labels());
        kinds.add(new Kind(name, network, data, input, layers));
    }

    private static INDArray labels() {
        INDArray labels = Nd4j.zeros(EXAMPLES, CLASSES);
        for (int i = 0; i < EXAMPLES; i++) {
            labels.putScalar(i, i % CLASSES, 1);
        }
        return labels;
    }

    private static INDArray labelsOfSteps() {
        INDArray labels = Nd4j.zeros(EXAMPLES, CLASSES, TIMES);
        for (int i = 0; i < EXAMPLES; i++) {
            for (int t = 0; t < TIMES; t++) {
                labels.putScalar(new int[] {i, (i + t) % CLASSES, t}, 1);
            }
        }
        return labels;
    }
}
