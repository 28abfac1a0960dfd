// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.preprocessor.BaseInputPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.Quantization;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.prepare.PrepareReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks whose parts all have an integer form, but which do not fit together. */
final class LoweringMessagesTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final InputType IMAGES = InputType.convolutional(8, 8, 2);

    private static GraphBuilder graph() {
        return new NeuralNetConfiguration.Builder().seed(1).graphBuilder();
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().nOut(4).activation(Activation.RELU).build();
    }

    private static ConvolutionLayer convolution() {
        return new ConvolutionLayer.Builder(3, 3)
                .nIn(2)
                .nOut(4)
                .activation(Activation.RELU)
                .build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nIn(4)
                .nOut(3)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static String messageFor(GraphBuilder builder, QuantSpec spec, INDArray... features) {
        ComputationGraph network = new ComputationGraph(builder.build());
        network.init();
        INDArray[] labels = new INDArray[network.getNumOutputArrays()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = Nd4j.zeros(4, 3);
        }
        ComputationGraph prepared =
                Quantization.prepare(
                        network,
                        spec,
                        new SingletonMultiDataSetIterator(new MultiDataSet(features, labels)));
        return assertThrows(LoweringException.class, () -> Quantization.lower(prepared))
                .obstacles()
                .get(0);
    }

    @Test
    void namesALayerLeftInFloatBetweenQuantizedOnes() {
        assertEquals(
                "layer 'middle' cannot be lowered to integers: this DenseLayer computes in float;"
                        + " the prepare report says why; quantize it, or leave it out of the"
                        + " deployed network",
                messageFor(
                        graph().addInputs("in")
                                .addLayer("first", dense(), "in")
                                .addLayer("middle", dense(), "first")
                                .addLayer("last", output(), "middle")
                                .setOutputs("last")
                                .setInputTypes(InputType.feedForward(6)),
                        INT8.with(LayerSelector.named("middle"), LayerScheme.FLOAT),
                        Nd4j.randn(4, 6)));
    }

    private static GraphBuilder twoLayers() {
        return graph().addInputs("in")
                .addLayer("first", dense(), "in")
                .addLayer("last", output(), "first")
                .setOutputs("last")
                .setInputTypes(InputType.feedForward(6));
    }

    @Test
    void refusesALayerWhoseInputIsNotRounded() {
        QuantSpec spec =
                INT8.with(
                        LayerSelector.named("last"),
                        new LayerScheme(LayerScheme.INT8.weights(), null));
        assertEquals(
                "layer 'last' cannot be lowered to integers: this OutputLayer computes in float,"
                        + " because its input is not rounded to integers; prepare the network with"
                        + " integers for its weights and its activations",
                messageFor(twoLayers(), spec, Nd4j.randn(4, 6)));
    }

    @Test
    void refusesALayerWhoseWeightsAreNotRounded() {
        QuantSpec spec =
                INT8.with(
                        LayerSelector.named("last"),
                        new LayerScheme(null, LayerScheme.INT8.activations()));
        assertEquals(
                "layer 'last' cannot be lowered to integers: this OutputLayer computes in float,"
                        + " because its weights are not rounded to integers; prepare the network"
                        + " with integers for its weights and its activations",
                messageFor(twoLayers(), spec, Nd4j.randn(4, 6)));
    }

    @Test
    void refusesANetworkInDoublePrecision() {
        INDArray features = Nd4j.randn(4, 6).castTo(DataType.DOUBLE);
        GraphBuilder wide =
                new NeuralNetConfiguration.Builder()
                        .dataType(DataType.DOUBLE)
                        .graphBuilder()
                        .addInputs("in")
                        .addLayer("last", output(), "in")
                        .setOutputs("last")
                        .setInputTypes(InputType.feedForward(6));
        assertEquals(
                "layer 'last' cannot be lowered to integers: it computes in DOUBLE; lower what"
                        + " network.convertDataType(DataType.FLOAT) returns",
                messageFor(wide, INT8, features));
    }

    @Test
    void namesAReaderOfAnInputThatNothingRounds() {
        for (String first : List.of("a", "z")) {
            assertEquals(
                    "layer 'pool' cannot be lowered to integers: it reads the network's input 'in',"
                            + " which nothing rounds; prepare the network again, with integers for"
                            + " its activations; what takes codes at the input are dense and"
                            + " convolution layers, pools, moves, sums and concatenations",
                    messageFor(
                            graph().addInputs("in")
                                    .addLayer(first, convolution(), "in")
                                    .addLayer(
                                            "pool",
                                            new SubsamplingLayer.Builder(
                                                            SubsamplingLayer.PoolingType.MAX)
                                                    .kernelSize(2, 2)
                                                    .stride(2, 2)
                                                    .build(),
                                            "in")
                                    .addLayer("float", output(), "pool")
                                    .addLayer("last", output(), first)
                                    .setOutputs("float", "last")
                                    .setInputTypes(IMAGES),
                            INT8.with(LayerSelector.named("float"), LayerScheme.FLOAT),
                            Nd4j.randn(4, 2, 8, 8)));
        }
    }

    @Test
    void refusesToMergeAlongAnotherAxisThanChannels() {
        MergeVertex rows = new MergeVertex();
        rows.setMergeAxis(2);
        assertEquals(
                "layer 'both' cannot be lowered to integers: it merges examples of 3 dimensions"
                        + " along axis 2; merge channels, which are axis 1 in format NCHW and the"
                        + " last one in NHWC",
                messageFor(
                        graph().addInputs("in")
                                .addLayer("left", convolution(), "in")
                                .addLayer("right", convolution(), "in")
                                .addVertex("both", rows, "left", "right")
                                .addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), "both")
                                .addLayer("last", output(), "mean")
                                .setOutputs("last"),
                        INT8,
                        Nd4j.randn(4, 2, 8, 8)));
    }

    @Test
    void refusesAnInputThatNothingReads() {
        assertEquals(
                "layer 'spare' cannot be lowered to integers: it is a network input that no"
                        + " quantized layer reads; remove it from the network",
                messageFor(
                        graph().allowDisconnected(true)
                                .addInputs("in", "spare")
                                .addLayer("first", dense(), "in")
                                .addLayer("last", output(), "first")
                                .setOutputs("last")
                                .setInputTypes(InputType.feedForward(6), InputType.feedForward(6)),
                        INT8,
                        Nd4j.randn(4, 6),
                        Nd4j.randn(4, 6)));
    }

    @Test
    void namesTheKindOfPoolWithoutIntegerForm() {
        String message =
                messageFor(
                        graph().addInputs("in")
                                .addLayer("first", convolution(), "in")
                                .addLayer(
                                        "norms", new GlobalPoolingLayer(PoolingType.PNORM), "first")
                                .addLayer("last", output(), "norms")
                                .setOutputs("last")
                                .setInputTypes(IMAGES),
                        INT8,
                        Nd4j.randn(4, 2, 8, 8));
        assertTrue(
                message.startsWith(
                        "layer 'norms' cannot be lowered to integers: there is no integer form of"
                                + " type GlobalPoolingLayer with pooling type PNORM and p = 2,"
                                + " because"),
                message);
    }

    /** A preprocessor of a user's own, which may compute anything. */
    static final class Own extends BaseInputPreProcessor {
        @Override
        public INDArray preProcess(INDArray input, int batch, LayerWorkspaceMgr workspaces) {
            return input;
        }

        @Override
        public INDArray backprop(INDArray output, int batch, LayerWorkspaceMgr workspaces) {
            return output;
        }

        @Override
        public InputType getOutputType(InputType inputType) {
            return inputType;
        }
    }

    @Test
    void namesTheLayerWhosePreprocessorHasNoIntegerForm() {
        String message =
                messageFor(
                        graph().addInputs("in")
                                .addLayer("first", dense(), "in")
                                .addLayer("last", output(), new Own(), "first")
                                .setOutputs("last")
                                .setInputTypes(InputType.feedForward(6)),
                        INT8,
                        Nd4j.randn(4, 6));
        assertTrue(
                message.startsWith(
                        "layer 'last' cannot be lowered to integers: there is no integer form of"
                                + " preprocessor Own; "),
                message);
    }

    @Test
    void saysHowASumBecomesAnOutput() {
        GraphBuilder builder =
                graph().addInputs("in")
                        .addLayer("left", dense(), "in")
                        .addLayer("right", dense(), "in")
                        .addVertex(
                                "sum",
                                new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                "left",
                                "right")
                        .setOutputs("sum")
                        .setInputTypes(InputType.feedForward(6));
        ComputationGraph network = new ComputationGraph(builder.build());
        network.init();
        PrepareReport report =
                Preparation.prepare(
                                network,
                                INT8,
                                new SingletonMultiDataSetIterator(
                                        new MultiDataSet(Nd4j.randn(4, 6), Nd4j.zeros(4, 4))))
                        .report();
        assertEquals(
                "stays in float: it is an output and no layer; for codes, let an ActivationLayer"
                        + " with the identity read it and be the output",
                report.layer("sum").remark());
        builder.addLayer("last", output(), "sum").setOutputs("last", "sum");
        assertEquals(
                "layer 'sum' cannot be lowered to integers: this vertex is an output of the"
                        + " network, and its result is not rounded; let an ActivationLayer with the"
                        + " identity read it and be the output, and prepare the network again",
                messageFor(builder, INT8, Nd4j.randn(4, 6)));
    }
}
