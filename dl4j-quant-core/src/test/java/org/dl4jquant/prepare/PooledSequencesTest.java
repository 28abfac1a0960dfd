// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Sequences and images whose places are pooled to one vector train with quantizers. */
class PooledSequencesTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final InputType SEQUENCE = InputType.recurrent(4, 5);

    /* Our p-norm's gradient divides before it takes powers: the last bits differ. */
    private static final double LAST_BITS = 1e-6;

    private static final Map<String, Supplier<Layer>> LAYERS =
            Map.of(
                    "LSTM", () -> new LSTM.Builder().nOut(6).build(),
                    "simple", () -> new SimpleRnn.Builder().nOut(6).build(),
                    "both ways", () -> new Bidirectional(new LSTM.Builder().nOut(6).build()),
                    "convolution", () -> new Convolution1DLayer.Builder(3).nOut(6).build(),
                    "attention",
                            () ->
                                    new SelfAttentionLayer.Builder()
                                            .nOut(6)
                                            .nHeads(2)
                                            .projectInput(true)
                                            .build());

    /** A layer that gives out a sequence, and what pools it. */
    private record Pooled(String layer, PoolingType pooling) {

        List<Layer> layers() {
            return List.of(
                    LAYERS.get(layer).get(),
                    new GlobalPoolingLayer(pooling),
                    new DenseLayer.Builder().nOut(5).activation(Activation.TANH).build(),
                    output());
        }

        MultiLayerNetwork network() {
            return Networks.of(new Sgd(0.1), SEQUENCE, layers().toArray(new Layer[0]));
        }
    }

    static List<Pooled> all() {
        List<Pooled> all = new ArrayList<>();
        LAYERS.keySet().stream()
                .sorted()
                .forEach(
                        layer -> {
                            for (PoolingType pooling : PoolingType.values()) {
                                // DL4J compiles an attention for a second, once is enough.
                                if (!layer.equals("attention") || pooling == PoolingType.AVG) {
                                    all.add(new Pooled(layer, pooling));
                                }
                            }
                        });
        return all;
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    @ParameterizedTest
    @MethodSource("all")
    void wrappersThatRoundNothingTrainAsThePlainNetwork(Pooled pooled) {
        MultiLayerNetwork plain = pooled.network();
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(7).updater(new Sgd(0.1)).list();
        for (Layer layer : pooled.layers()) {
            list.layer(new QuantizedLayer(layer, null, null, LayerQuantizers.NONE));
        }
        MultiLayerNetwork wrapped = new MultiLayerNetwork(list.setInputType(SEQUENCE).build());
        wrapped.init(plain.params().dup(), false);
        DataSet data = Networks.data(12, 4, 5);
        plain.fit(data);
        wrapped.fit(data);
        assertEquals(
                0,
                plain.params().sub(wrapped.params()).amaxNumber().doubleValue(),
                pooled.pooling() == PoolingType.PNORM ? LAST_BITS : 0);
    }

    @ParameterizedTest
    @MethodSource("all")
    void bothKindsOfNetworksTrain(Pooled pooled) {
        DataSet data = Networks.data(12, 4, 5);
        MultiLayerNetwork chain =
                Preparation.prepare(pooled.network(), INT8, new SingletonDataSetIterator(data))
                        .network();
        ComputationGraph graph =
                Preparation.prepare(
                                pooled.network().toComputationGraph(),
                                INT8,
                                new SingletonDataSetIterator(data))
                        .network();
        assertEquals(chain.params(), graph.params());
        double before = chain.score(data);
        for (int i = 0; i < 5; i++) {
            chain.fit(data);
            graph.fit(data);
        }
        assertTrue(chain.score(data) < before);
        assertEquals(chain.params(), graph.params());
        assertEquals(chain.output(data.getFeatures()), graph.outputSingle(data.getFeatures()));
    }

    /** Negative values are 0 after ReLU, and here nearly all are negative. */
    @ParameterizedTest
    @EnumSource(PoolingType.class)
    void poolsOfZerosTrain(PoolingType pooling) {
        List<Layer> pools = new ArrayList<>(List.of(new GlobalPoolingLayer(pooling)));
        if (pooling != PoolingType.SUM) { // DL4J sums no windows
            pools.add(
                    new SubsamplingLayer.Builder(pooling, new int[] {2, 2})
                            .stride(1, 1)
                            .pnorm(2)
                            .build());
        }
        for (Layer pool : pools) {
            MultiLayerNetwork network =
                    Networks.of(
                            new Sgd(0.01),
                            InputType.convolutional(6, 6, 2),
                            new ConvolutionLayer.Builder(3, 3)
                                    .nOut(4)
                                    .biasInit(-1)
                                    .activation(Activation.RELU)
                                    .build(),
                            pool,
                            new DenseLayer.Builder().nOut(5).activation(Activation.TANH).build(),
                            output());
            DataSet data = Networks.data(12, 2, 6, 6);
            INDArray rectified = network.feedForward(data.getFeatures()).get(1);
            assertTrue(
                    rectified.eq(0).castTo(rectified.dataType()).meanNumber().doubleValue() > 0.5);
            MultiLayerNetwork chain =
                    Preparation.prepare(network, INT8, new SingletonDataSetIterator(data))
                            .network();
            ComputationGraph graph =
                    Preparation.prepare(
                                    network.toComputationGraph(),
                                    INT8,
                                    new SingletonDataSetIterator(data))
                            .network();
            double before = chain.score(data);
            for (int i = 0; i < 5; i++) {
                chain.fit(data);
                graph.fit(data);
            }
            assertFalse(chain.params().isNaN().any() || graph.params().isNaN().any());
            assertTrue(chain.score(data) < before);
        }
    }
}
