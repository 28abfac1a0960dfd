// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.layers.objdetect.YoloUtils;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** YOLOv2's output layer is a last function of the graph, which the network computes, too. */
class BoxGridTest {

    private static final int BOXES = 2;
    private static final int CLASSES = 3;
    private static final int CHANNELS = BOXES * (5 + CLASSES);
    private static final int EXAMPLES = 3;
    private static final float[][] PRIORS = {{1, 2}, {2.5f, 0.75f}};

    /** DL4J's float32 functions against ours, which round once, in parts of the value. */
    private static final float FLOAT_BOUND = 3e-6f;

    /** ONNX Runtime's float32 functions, of sizes of up to 3. */
    private static final float TAIL_BOUND = 1e-5f;

    private static OutputFunction.BoxGrid grid(boolean channelsLast) {
        return new OutputFunction.BoxGrid(channelsLast, List.of(1f, 2f, 2.5f, 0.75f));
    }

    @Test
    void boxesAreThoseOfDl4j() {
        INDArray scores = Nd4j.randn(EXAMPLES, CHANNELS, 4, 5).muli(2);
        float[] expected =
                RowMajor.floats(
                        YoloUtils.activate(Nd4j.createFromArray(PRIORS), scores.dup(), true));
        float[] found = RowMajor.floats(scores);
        grid(false).applyInPlace(found, EXAMPLES, Shape.of(CHANNELS, 4, 5));
        INDArray last = scores.permute(0, 2, 3, 1).dup('c');
        float[] foundLast = RowMajor.floats(last);
        grid(true).applyInPlace(foundLast, EXAMPLES, Shape.of(4, 5, CHANNELS));
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], found[i], FLOAT_BOUND * Math.max(1, expected[i]));
        }
        assertArrayEquals(
                found,
                RowMajor.floats(
                        RowMajor.array(foundLast, last.shape()).permute(0, 3, 1, 2).dup('c')));
    }

    @Test
    void theFunctionIsTextThatIsReadAgain() {
        for (boolean channelsLast : new boolean[] {false, true}) {
            List<OutputFunction> functions = List.of(grid(channelsLast));
            assertEquals(functions, OutputFunction.parse(OutputFunction.text(functions)));
        }
        assertFalse(grid(false).fits(Shape.of(CHANNELS - 1, 4, 5)));
        assertFalse(grid(false).fits(Shape.of(4, 5, CHANNELS)));
        assertTrue(grid(true).fits(Shape.of(4, 5, CHANNELS)));
    }

    private static MultiLayerNetwork network(CNN2DFormat format) {
        return Networks.of(
                InputType.convolutional(6, 5, 2, format),
                new ConvolutionLayer.Builder(3, 2)
                        .nOut(4)
                        .dataFormat(format)
                        .activation(Activation.RELU)
                        .build(),
                new ConvolutionLayer.Builder(1, 1)
                        .nOut(CHANNELS)
                        .dataFormat(format)
                        .activation(Activation.IDENTITY)
                        .build(),
                boxes(format));
    }

    private static Yolo2OutputLayer boxes(CNN2DFormat format) {
        Yolo2OutputLayer layer =
                new Yolo2OutputLayer.Builder()
                        .boundingBoxPriors(Nd4j.createFromArray(PRIORS))
                        .build();
        layer.setFormat(format);
        return layer;
    }

    /* One box, of the second class, in the middle of each grid. */
    private static INDArray labels(CNN2DFormat format) {
        INDArray labels = Nd4j.zeros(EXAMPLES, 4 + CLASSES, 4, 4);
        for (int example = 0; example < EXAMPLES; example++) {
            float[] corners = {1.2f, 0.9f, 2.3f, 2.4f};
            for (int i = 0; i < corners.length; i++) {
                labels.putScalar(new int[] {example, i, 1, 1}, corners[i]);
            }
            labels.putScalar(new int[] {example, 5, 1, 1}, 1);
        }
        return format == CNN2DFormat.NCHW ? labels : labels.permute(0, 2, 3, 1).dup('c');
    }

    @ParameterizedTest
    @EnumSource
    void theNetworkComputesWhatEnginesDo(CNN2DFormat format) throws IOException, OrtException {
        INDArray features =
                format == CNN2DFormat.NCHW
                        ? Networks.normal(3, EXAMPLES, 2, 6, 5)
                        : Networks.normal(3, EXAMPLES, 6, 5, 2);
        DataSet data = new DataSet(features, labels(format));
        MultiLayerNetwork trained = network(format);
        IntGraph graph = EqualIntegers.of(trained, QuantSpec.of(LayerScheme.INT8), data);
        assertEquals(
                List.of(grid(format == CNN2DFormat.NHWC)),
                graph.functions().values().iterator().next());
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "file"));

        MultiLayerNetwork prepared =
                Quantization.prepare(
                        trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
        INDArray output = prepared.output(features.dup());
        assertEquals(output, restored(prepared).output(features.dup()));
        try (Engine engine = Engine.open("reference", Quantization.lower(prepared))) {
            Batch result =
                    engine.run(EngineInputs.of(engine.graph(), features))
                            .values()
                            .iterator()
                            .next();
            assertArrayEquals(RowMajor.floats(output), ((Batch.Floats) result).values());
        }
        requireTail(Quantization.lower(prepared), features);
        org.deeplearning4j.nn.layers.objdetect.Yolo2OutputLayer layer =
                assertInstanceOf(
                        org.deeplearning4j.nn.layers.objdetect.Yolo2OutputLayer.class,
                        prepared.getOutputLayer());
        // DL4J finds no boxes in results with the channels last.
        if (format == CNN2DFormat.NCHW) {
            assertFalse(layer.getPredictedObjects(output, 0).isEmpty());
        }
    }

    /* The float operators that a file may have, too, are near. */
    private static void requireTail(IntGraph graph, INDArray features) throws OrtException {
        byte[] model = OnnxWriter.toBytes(graph, OnnxWriter.Results.SCORES_AND_VALUES);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(model);
                OnnxTensor x =
                        OnnxTensor.createTensor(
                                environment,
                                FloatBuffer.wrap(RowMajor.floats(features)),
                                features.shape());
                OrtSession.Result results = session.run(Map.of(graph.inputs().get(0).name(), x))) {
            String output = graph.outputs().get(0);
            float[] expected = floats(results, output);
            graph.functions()
                    .get(output)
                    .get(0)
                    .applyInPlace(expected, EXAMPLES, graph.type(output).shape());
            float[] found = floats(results, output + "/value");
            assertArrayEquals(expected, found, TAIL_BOUND);
        }
    }

    private static float[] floats(OrtSession.Result results, String name) throws OrtException {
        FloatBuffer buffer = ((OnnxTensor) results.get(name).orElseThrow()).getFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    @Test
    void anOutputLayerThatCameAfterPrepareIsRefused() {
        CNN2DFormat format = CNN2DFormat.NCHW;
        DataSet data = new DataSet(Networks.normal(3, EXAMPLES, 2, 6, 5), labels(format));
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        network(format), QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
        MultiLayerConfiguration conf = prepared.getLayerWiseConfigurations().clone();
        Yolo2OutputLayer boxes = boxes(format);
        boxes.setLayerName("boxes");
        conf.getConf(2).setLayer(boxes);
        MultiLayerNetwork other = new MultiLayerNetwork(conf);
        other.init(prepared.params(), true);
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(other)).getMessage();
        assertTrue(message.contains("came after prepare"), message);
    }

    private static MultiLayerNetwork restored(MultiLayerNetwork network) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ModelSerializer.writeModel(network, bytes, true);
        return ModelSerializer.restoreMultiLayerNetwork(
                new ByteArrayInputStream(bytes.toByteArray()), true);
    }
}
