// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.Upsampling3D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPadding3DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping3D;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.deeplearning4j.nn.conf.preprocessor.Cnn3DToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnn3DPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.preprocessors.KerasFlattenRnnPreprocessor;
import org.deeplearning4j.preprocessors.PermutePreprocessor;
import org.deeplearning4j.preprocessors.ReshapePreprocessor;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.layer.integer.IntegerForm;
import org.dl4jquant.layer.integer.IntegerRefusal;
import org.dl4jquant.layer.integer.LayerTensors;
import org.dl4jquant.layer.integer.NodeEmitter;
import org.dl4jquant.layer.integer.Signal;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** DL4J's own layers, on the values of codes, give the values of the codes that the nodes move. */
@SuppressWarnings("rawtypes") // a builder that nobody can name
class MovingKindsTest {

    private static final int EXAMPLES = 2;
    private static final QuantParams PARAMS = new QuantParams(0.25f, -7, CodeRange.signed(8));

    /**
     * A step and one example of what it reads.
     *
     * @param configuration DL4J's layer or vertex
     * @param example in the step's own format
     */
    private record Case(Object configuration, Shape example) {
        @Override
        public String toString() {
            return configuration.getClass().getSimpleName() + " of " + example;
        }
    }

    static Stream<Case> cases() {
        Shape sequence = Shape.of(3, 7);
        Shape image = Shape.of(4, 6, 8);
        Shape volume = Shape.of(2, 4, 5, 6);
        return Stream.of(
                new Case(new Upsampling1D.Builder(3).build(), sequence),
                new Case(new Upsampling3D.Builder(3).size(new int[] {2, 1, 3}).build(), volume),
                new Case(new Upsampling2D.Builder(3).size(new int[] {2, 3}).build(), image),
                new Case(new ZeroPadding1DLayer.Builder(2, 1).build(), sequence),
                new Case(new ZeroPaddingLayer.Builder(1, 2, 3, 0).build(), image),
                new Case(new ZeroPadding3DLayer.Builder(1, 2, 0, 3, 2, 1).build(), volume),
                new Case(new Cropping1D.Builder(2, 1).build(), sequence),
                new Case(new Cropping2D.Builder(1, 2, 3, 0).build(), image),
                new Case(new Cropping3D.Builder(1, 2, 0, 3, 2, 1).build(), volume),
                new Case(new SpaceToDepthLayer.Builder(2, CNN2DFormat.NCHW).build(), image),
                new Case(new RepeatVector.Builder(5).build(), Shape.of(9)),
                new Case(new SubsetVertex(1, 2), image),
                new Case(new SubsetVertex(3, 7), Shape.of(9)),
                new Case(new ReshapeVertex('c', new int[] {-1, 8, 24}, null), image),
                new Case(new PoolHelperVertex(), image),
                new Case(new PermutePreprocessor(2, 3, 1), image),
                new Case(new PermutePreprocessor(0, 2, 1), sequence),
                new Case(
                        new ReshapePreprocessor(new long[] {4, 6, 8}, new long[] {8, 24}, false),
                        image),
                new Case(
                        new ReshapePreprocessor(
                                new long[] {EXAMPLES, 3, 7}, new long[] {EXAMPLES, 21}, true),
                        sequence),
                new Case(new KerasFlattenRnnPreprocessor(3, 7), sequence),
                new Case(new CnnToFeedForwardPreProcessor(6, 8, 4), image),
                new Case(new CnnToFeedForwardPreProcessor(4, 6, 8, CNN2DFormat.NHWC), image),
                new Case(new FeedForwardToCnnPreProcessor(6, 8, 4), Shape.of(192)),
                new Case(new Cnn3DToFeedForwardPreProcessor(4, 5, 6, 2, true), volume),
                new Case(new Cnn3DToFeedForwardPreProcessor(2, 4, 5, 6, false), volume),
                new Case(new FeedForwardToCnn3DPreProcessor(4, 5, 6, 2, true), Shape.of(240)),
                new Case(new CnnToRnnPreProcessor(6, 8, 4), image),
                new Case(new FeedForwardToRnnPreProcessor(), Shape.of(9)),
                new Case(
                        new Upsampling2D.Builder(3)
                                .size(new int[] {2, 3})
                                .dataFormat(CNN2DFormat.NHWC)
                                .build(),
                        image),
                new Case(
                        new ZeroPaddingLayer.Builder(1, 2, 3, 0)
                                .dataFormat(CNN2DFormat.NHWC)
                                .build(),
                        image),
                new Case(
                        new Cropping2D.Builder(1, 2, 3, 0).dataFormat(CNN2DFormat.NHWC).build(),
                        Shape.of(6, 8, 4)),
                new Case(new SpaceToDepthLayer.Builder(2, CNN2DFormat.NHWC).build(), image),
                new Case(
                        new Upsampling3D.Builder(3)
                                .size(new int[] {2, 1, 3})
                                .dataFormat(Convolution3D.DataFormat.NDHWC)
                                .build(),
                        volume),
                new Case(
                        new RepeatVector.Builder(5).dataFormat(RNNFormat.NWC).build(),
                        Shape.of(9)));
    }

    /** A graph of one step. */
    private static final class OneStep implements NodeEmitter {

        final IntGraph.Builder builder = IntGraph.builder();
        private int parts;

        @Override
        public String step() {
            return "it";
        }

        @Override
        public String name() {
            return "it";
        }

        @Override
        public String inner(String part) {
            return "it/" + part + parts++;
        }

        @Override
        public NodeEmitter part(String part) {
            return this;
        }

        @Override
        public String add(IntNode node) {
            builder.add(node);
            return node.name();
        }

        @Override
        public TensorType type(String node) {
            return builder.type(node);
        }

        @Override
        public String codes(Signal signal) {
            return ((Signal.Codes) signal).node();
        }

        @Override
        public String channelsFirst(Signal signal) {
            String node = codes(signal);
            Shape shape = type(node).shape();
            List<Integer> order = new ArrayList<>(List.of(shape.rank() - 1));
            IntStream.range(0, shape.rank() - 1).forEach(order::add);
            return shape.rank() == 1
                    ? node
                    : add(Move.of("first", node, IndexMap.permute(shape, order)));
        }

        @Override
        public NodeEmitter forChannelsLast() {
            return this;
        }

        @Override
        public Optional<String> mask(int steps) {
            return Optional.empty();
        }

        @Override
        public Optional<TensorType> networkInput(String input) {
            throw new UnsupportedOperationException(input);
        }

        @Override
        public String values(Signal.Values values, Shape shape) {
            throw new UnsupportedOperationException(values.node());
        }

        @Override
        public String computed(Signal.Values values) {
            return values.node();
        }

        @Override
        public String valuesToRound(Signal.Values values, Shape shape) {
            throw new UnsupportedOperationException(values.node());
        }
    }

    private static boolean channelsLast(Object configuration) {
        return configuration instanceof Layer
                && configuration.toString().matches(".*=N(HWC|DHWC|WC)\\b.*");
    }

    private static IntGraph graph(Case step) {
        OneStep graph = new OneStep();
        graph.add(new Input("x", step.example()));
        graph.add(new Quantize("q", "x", PARAMS));
        IntegerForm form =
                LayerKinds.of(step.configuration())
                        .integers()
                        .form(LayerTensors.unquantized("it"))
                        .orElseThrow();
        List<Signal> results = form.emit(graph, List.of(new Signal.Codes("q")));
        assertEquals(List.of(new Signal.Codes("it", channelsLast(step.configuration()))), results);
        return graph.builder.build(List.of("q", "it"));
    }

    private static INDArray values(Batch batch) {
        Batch.Codes codes = (Batch.Codes) batch;
        float[] values = new float[codes.containers().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = codes.params().dequantize(codes.code(i));
        }
        long[] shape =
                IntStream.concat(
                                IntStream.of(codes.size()),
                                codes.shape().dimensions().stream().mapToInt(size -> size))
                        .asLongStream()
                        .toArray();
        return Nd4j.create(values, shape, 'c');
    }

    private static INDArray inFloat(Object configuration, INDArray input) {
        LayerWorkspaceMgr heap = LayerWorkspaceMgr.noWorkspaces();
        if (configuration instanceof InputPreProcessor preprocessor) {
            return preprocessor.preProcess(input, EXAMPLES, heap);
        }
        if (configuration instanceof GraphVertex vertex) {
            var running = vertex.instantiate(null, "it", 0, null, false, DataType.FLOAT);
            running.setInputs(input);
            return running.doForward(false, heap);
        }
        Layer layer = (Layer) configuration;
        NeuralNetConfiguration of = new NeuralNetConfiguration.Builder().layer(layer).build();
        return layer.instantiate(of, null, 0, null, false, DataType.FLOAT)
                .activate(input, false, heap);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void nodesMoveAsDl4jDoes(Case step) {
        IntGraph graph = graph(step);
        float[] values = new float[EXAMPLES * step.example().elements()];
        Random random = new Random(8);
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(300) / 4f - 35;
        }
        Map<String, Batch.Floats> inputs =
                Map.of("x", Batch.Floats.of(EXAMPLES, step.example(), values));
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            Map<String, Batch> found = reference.run(inputs);
            INDArray expected = inFloat(step.configuration(), values(found.get("q")));
            if (channelsLast(step.configuration())) {
                int rank = expected.rank();
                expected =
                        expected.permute(
                                IntStream.range(0, rank)
                                        .map(axis -> axis < 2 ? axis * (rank - 1) : axis - 1)
                                        .toArray());
            }
            INDArray moved = values(found.get("it"));
            assertArrayEquals(expected.shape(), moved.shape());
            assertEquals(expected.dup('c'), moved);
            EqualityCheck.between(reference, runtime).over(List.of(inputs)).requireEqual();
        }
    }

    @Test
    void aReshapeOfNothingIsNoNode() {
        Case same = new Case(new ZeroPaddingLayer.Builder(0, 0, 0, 0).build(), Shape.of(2, 3, 4));
        OneStep graph = new OneStep();
        graph.add(new Input("x", same.example()));
        graph.add(new Quantize("q", "x", PARAMS));
        List<Signal> arriving = List.of(new Signal.Codes("q"));
        IntegerForm form =
                LayerKinds.of(same.configuration())
                        .integers()
                        .form(LayerTensors.unquantized("it"))
                        .orElseThrow();
        assertEquals(arriving, form.emit(graph, arriving));
    }

    @Test
    void refusesOtherShapes() {
        for (ReshapeVertex vertex :
                List.of(
                        new ReshapeVertex('f', new int[] {-1, 6}, null),
                        new ReshapeVertex('c', new int[] {2, 6}, null),
                        new ReshapeVertex('c', new int[] {-1, -1}, null))) {
            assertEquals(
                    "it reshapes to "
                            + Arrays.toString(vertex.getNewShape())
                            + " in order '"
                            + vertex.getReshapeOrder()
                            + "'",
                    LayerKinds.of(vertex).integers().refusal().orElseThrow().reason());
        }
        Case flat = new Case(new Cropping2D.Builder(1, 1).build(), Shape.of(9));
        assertEquals(
                "it reads [9], where it takes 3 dimensions for an example",
                assertThrows(IntegerRefusal.class, () -> graph(flat)).reason());
    }

    /** A preprocessor of a user's own, which may compute anything. */
    private static final class Own extends RnnToFeedForwardPreProcessor {}

    @Test
    void namesAPreprocessorWithoutIntegerForm() {
        var refusal = LayerKinds.of(new Own()).integers().refusal().orElseThrow();
        assertEquals("there is no integer form of preprocessor Own", refusal.reason());
        assertEquals(
                "preprocessors that lower are CnnToFeedForwardPreProcessor,"
                        + " FeedForwardToCnnPreProcessor, ComposableInputPreProcessor,"
                        + " Cnn3DToFeedForwardPreProcessor, FeedForwardToCnn3DPreProcessor,"
                        + " RnnToFeedForwardPreProcessor, RnnToCnnPreProcessor,"
                        + " FeedForwardToRnnPreProcessor, CnnToRnnPreProcessor, PermutePreprocessor,"
                        + " ReshapePreprocessor, KerasFlattenRnnPreprocessor",
                refusal.remedy());
    }

    @Test
    void emitsMoves() {
        Case padded = new Case(new ZeroPaddingLayer.Builder(1, 1).build(), Shape.of(2, 3, 4));
        assertEquals(Move.class, graph(padded).nodes().get(2).getClass());
    }
}
