// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A network has the same codes whether its images are in format NCHW or NHWC. */
@SuppressWarnings("rawtypes") // a builder that nobody can name
class ImageFormatsTest {

    private static final int EXAMPLES = 4;
    private static final List<QuantSpec> SPECS =
            List.of(
                    QuantSpec.of(LayerScheme.INT8),
                    QuantSpec.of(LayerScheme.ofBits(4, 8)),
                    QuantSpec.of(
                            new LayerScheme(
                                    TensorScheme.INT8_WEIGHTS,
                                    TensorScheme.INT8_ACTIVATIONS.withSymmetry(
                                            Symmetry.ASYMMETRIC))));

    /** A random network, drawn the same for each format. */
    private static final class Drawn {

        private final Random random;
        private final CNN2DFormat format;
        private final GraphBuilder builder;
        final int channels;
        final int height;
        final int width;
        private String last = "in";
        private int count;

        Drawn(long seed, CNN2DFormat format) {
            this.random = new Random(seed);
            this.format = format;
            this.channels = from(1, 3);
            this.height = from(7, 9);
            this.width = from(7, 9);
            this.builder =
                    new NeuralNetConfiguration.Builder()
                            .seed(seed)
                            .graphBuilder()
                            .addInputs("in")
                            .setInputTypes(
                                    InputType.convolutional(height, width, channels, format));
        }

        private int from(int least, int most) {
            return least + random.nextInt(most - least + 1);
        }

        private boolean one(int in) {
            return random.nextInt(in) == 0;
        }

        private Activation activation() {
            return List.of(
                            Activation.IDENTITY,
                            Activation.RELU,
                            Activation.TANH,
                            Activation.LEAKYRELU)
                    .get(random.nextInt(4));
        }

        private void add(Layer layer) {
            String name = "layer" + count++;
            builder.addLayer(name, layer, last);
            last = name;
        }

        private Layer convolution(int out) {
            return new ConvolutionLayer.Builder(from(1, 3), from(1, 3))
                    .nOut(out)
                    .convolutionMode(ConvolutionMode.Same)
                    .stride(one(4) ? 2 : 1, 1)
                    .dilation(1, from(1, 2))
                    .dataFormat(format)
                    .hasBias(!one(4))
                    .activation(activation())
                    .build();
        }

        private Layer depthwise() {
            DepthwiseConvolution2D.Builder depthwise = new DepthwiseConvolution2D.Builder(2, 3);
            depthwise.convolutionMode(ConvolutionMode.Same).activation(activation());
            return depthwise.depthMultiplier(from(1, 2)).dataFormat(format).build();
        }

        private Layer pool() {
            return new SubsamplingLayer.Builder(one(2) ? PoolingType.MAX : PoolingType.AVG)
                    .kernelSize(from(1, 2), from(1, 3))
                    .stride(1, from(1, 2))
                    .convolutionMode(ConvolutionMode.Same)
                    .dataFormat(format)
                    .build();
        }

        @SuppressWarnings("rawtypes") // a builder that nobody can name
        private Layer move() {
            return switch (random.nextInt(4)) {
                case 0 ->
                        new Upsampling2D.Builder(2)
                                .size(new int[] {1, 2})
                                .dataFormat(format)
                                .build();
                case 1 -> new Cropping2D.Builder(1, 0, 0, 1).dataFormat(format).build();
                case 2 -> new SpaceToDepthLayer.Builder(1, format).build();
                default -> new ZeroPaddingLayer.Builder(1, 0, 2, 1).dataFormat(format).build();
            };
        }

        /** Two convolutions of one tensor, summed or concatenated. */
        private void branches() {
            String from = last;
            int out = from(2, 4);
            boolean sum = one(2);
            String name = "joint" + count++;
            for (String side : List.of("/a", "/b")) {
                builder.addLayer(
                        name + side,
                        new ConvolutionLayer.Builder(3, 1)
                                .nOut(out)
                                .convolutionMode(ConvolutionMode.Same)
                                .dataFormat(format)
                                .activation(activation())
                                .build(),
                        from);
            }
            builder.addVertex(
                    name,
                    sum ? new ElementWiseVertex(ElementWiseVertex.Op.Add) : new MergeVertex(),
                    name + "/a",
                    name + "/b");
            last = name;
        }

        ComputationGraph network() {
            for (int i = from(2, 4); i > 0; i--) {
                switch (random.nextInt(8)) {
                    case 0, 1 -> add(convolution(from(1, 4)));
                    case 2 -> {
                        add(
                                new ConvolutionLayer.Builder(1, 2)
                                        .nOut(3)
                                        .dataFormat(format)
                                        .activation(Activation.IDENTITY)
                                        .build());
                        add(new BatchNormalization.Builder().dataFormat(format).build());
                        add(new ActivationLayer(activation()));
                    }
                    case 3 -> add(depthwise());
                    case 4 -> add(pool());
                    case 5 -> branches();
                    case 6 -> add(new DropoutLayer(0.5));
                    default -> add(move());
                }
            }
            if (one(2)) {
                add(new GlobalPoolingLayer(one(2) ? PoolingType.MAX : PoolingType.AVG));
            }
            add(
                    new OutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(Networks.CLASSES)
                            .activation(Activation.SOFTMAX)
                            .build());
            ComputationGraph network = new ComputationGraph(builder.setOutputs(last).build());
            network.init();
            return network;
        }

        DataSet data() {
            INDArray images = Networks.normal(random.nextLong(), EXAMPLES, channels, height, width);
            return new DataSet(
                    format == CNN2DFormat.NHWC ? images.permute(0, 2, 3, 1).dup('c') : images,
                    Networks.labels(EXAMPLES));
        }
    }

    /**
     * Copies the parameters; a dense layer that reads flattened images has its rows in the images'
     * order.
     */
    private static void copyParameters(
            ComputationGraph from, ComputationGraph to, Map<String, INDArray> images) {
        for (var layer : to.getLayers()) {
            String name = layer.conf().getLayer().getLayerName();
            from.getLayer(name)
                    .paramTable()
                    .forEach((key, values) -> layer.getParam(key).assign(values));
        }
        String dense = to.getOutputLayer(0).conf().getLayer().getLayerName();
        INDArray read = images.get(to.getConfiguration().getVertexInputs().get(dense).get(0));
        if (read != null && read.rank() == 4) {
            long[] shape = read.shape(); // NHWC
            INDArray rows = from.getLayer(dense).getParam("W");
            INDArray permuted =
                    rows.dup('c')
                            .reshape('c', shape[3], shape[1], shape[2], rows.size(1))
                            .permute(1, 2, 0, 3)
                            .dup('c')
                            .reshape('c', rows.size(0), rows.size(1));
            to.getLayer(dense).getParam("W").assign(permuted);
        }
    }

    @Property(tries = 12, shrinking = ShrinkingMode.OFF)
    void bothFormatsHaveTheSameCodes(@ForAll long seed) {
        QuantSpec spec = SPECS.get((int) Math.floorMod(seed, (long) SPECS.size()));
        Drawn first = new Drawn(seed, CNN2DFormat.NCHW);
        ComputationGraph channelsFirst = first.network();
        DataSet data = first.data();
        Drawn second = new Drawn(seed, CNN2DFormat.NHWC);
        ComputationGraph channelsLast = second.network();
        DataSet last = second.data();
        ComputationGraph a = Quantization.prepare(channelsFirst, spec, Networks.batches(data));
        a.fit(data.copy());
        ComputationGraph b = Quantization.prepare(channelsLast, spec, Networks.batches(last));
        copyParameters(a, b, b.feedForward(last.getFeatures(), false));
        IntGraph graphOfFirst = EqualIntegers.lowered(a, data.getFeatures());
        IntGraph graphOfLast = EqualIntegers.lowered(b, last.getFeatures());
        assertArrayEquals(
                floats(a.outputSingle(data.getFeatures())),
                floats(b.outputSingle(last.getFeatures())));
        compare(graphOfFirst, data.getFeatures(), graphOfLast, last.getFeatures());
    }

    private static float[] floats(INDArray array) {
        return array.dup('c').data().asFloat();
    }

    private static void compare(
            IntGraph a, INDArray featuresOfA, IntGraph b, INDArray featuresOfB) {
        List<String> extra = new ArrayList<>();
        b.nodes().forEach(node -> extra.add(node.name()));
        a.nodes().forEach(node -> assertTrue(extra.remove(node.name()), node::toString));
        assertTrue(extra.stream().allMatch(name -> name.contains("/channels-")), extra::toString);
        assertTrue(extra.size() <= 3, extra::toString);
        try (Engine one = Engine.open("reference", a);
                Engine other = Engine.open("reference", b)) {
            Map<String, Batch> found = one.trace(EngineInputs.of(a, featuresOfA));
            Map<String, Batch> again = other.trace(EngineInputs.of(b, featuresOfB));
            for (var node : found.entrySet()) {
                Batch same = again.get(node.getKey());
                // Flattening keeps the network's own order, and so does what rounds its input.
                boolean inOrder =
                        node.getKey().endsWith("/input") || node.getKey().contains("/quantize");
                if (!inOrder
                        && node.getValue() instanceof Batch.Codes codes
                        && same instanceof Batch.Codes others
                        && codes.shape().equals(others.shape())) {
                    assertArrayEquals(codes.containers(), others.containers(), node.getKey());
                }
            }
        }
    }

    /** One transpose at the input is all that the other format costs. */
    @Test
    void theInputIsTransposedOnce() {
        CNN2DFormat format = CNN2DFormat.NHWC;
        Layer[] layers = {
            new ZeroPaddingLayer.Builder(1, 1).dataFormat(format).build(),
            new ConvolutionLayer.Builder(3, 3)
                    .nOut(4)
                    .dataFormat(format)
                    .activation(Activation.RELU)
                    .build(),
            new SubsamplingLayer.Builder(PoolingType.AVG).dataFormat(format).build(),
            new GlobalPoolingLayer(PoolingType.AVG),
            new OutputLayer.Builder(LossFunction.MCXENT)
                    .nOut(Networks.CLASSES)
                    .activation(Activation.SOFTMAX)
                    .build()
        };
        DataSet data = new DataSet(Networks.normal(3, 8, 6, 6, 2), Networks.labels(8));
        IntGraph graph =
                EqualIntegers.of(
                        Networks.of(InputType.convolutional(6, 6, 2, format), layers),
                        SPECS.get(0),
                        data);
        List<String> moves =
                graph.nodes().stream()
                        .filter(Move.class::isInstance)
                        .map(node -> node.name())
                        .toList();
        assertEquals(List.of("input/quantized/channels-first", "layer0"), moves);
    }
}
