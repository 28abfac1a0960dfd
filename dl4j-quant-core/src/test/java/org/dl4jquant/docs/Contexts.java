// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.docs;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.dl4jquant.arbiter.TrialData;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.search.OutputDivergence;
import org.dl4jquant.search.SearchedNetwork;
import org.dl4jquant.search.Sensitivities;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** The variables of the pages' snippets: a network, its data, files. */
public final class Contexts {

    private static final int EXAMPLES = 48;
    private static final int BATCH = 16;
    private static final int CLASSES = 3;
    private static final int SIDE = 28;

    private Contexts() {}

    static MultiLayerNetwork network() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(1)
                                .updater(new Sgd(0.01))
                                .activation(Activation.RELU)
                                .list()
                                .layer(convolution("conv1", 2))
                                .layer(convolution("conv2", 2))
                                .layer(convolution("conv3", 1))
                                .layer(new DenseLayer.Builder().nOut(8).name("dense1").build())
                                .layer(
                                        new OutputLayer.Builder()
                                                .activation(Activation.SOFTMAX)
                                                .nOut(CLASSES)
                                                .name("output")
                                                .build())
                                .setInputType(InputType.convolutional(SIDE, SIDE, 1))
                                .build());
        network.init();
        return network;
    }

    private static ConvolutionLayer convolution(String name, int stride) {
        return new ConvolutionLayer.Builder(3, 3).stride(stride, stride).nOut(4).name(name).build();
    }

    static MultiLayerNetwork quantized() {
        return Preparation.prepare(network(), QuantSpec.of(LayerScheme.INT4), iterator()).network();
    }

    static INDArray images(int count) {
        return Nd4j.rand(new long[] {count, 1, SIDE, SIDE});
    }

    static DataSetIterator iterator() {
        INDArray labels = Nd4j.zeros(EXAMPLES, CLASSES);
        for (int i = 0; i < EXAMPLES; i++) {
            labels.putScalar(i, i % CLASSES, 1);
        }
        return new ListDataSetIterator<>(new DataSet(images(EXAMPLES), labels).asList(), BATCH);
    }

    static Path file(String suffix) {
        try {
            Path file = Files.createTempFile("snippet", suffix);
            Files.delete(file);
            file.toFile().deleteOnExit();
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** README.md. */
    public abstract static class Readme extends JavaSnippet.Context {
        protected MultiLayerNetwork trained = network();
        protected DataSetIterator train = iterator();
        protected INDArray test = images(2);
        protected Path onnx = file(".onnx");
        protected float[] pixels = images(1).dup('c').data().asFloat();
    }

    /** docs/training.md. */
    public abstract static class Training extends JavaSnippet.Context {
        protected MultiLayerNetwork trained = network();
        protected MultiLayerNetwork quantized = quantized();
        protected DataSetIterator train = iterator();
        protected DataSetIterator test = iterator();
        protected StatsStorageRouter statsStorage = new InMemoryStatsStorage();
        protected Path file = file(".jsonl");
        protected File modelFile = savedModel();

        private File savedModel() {
            try {
                File saved = Contexts.file(".zip").toFile();
                quantized.save(saved, true);
                return saved;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Stands for a class of the reader's own. */
        protected static final class MyLayer extends ActivationReLU {
            private static final long serialVersionUID = 1;
        }
    }

    /** docs/mixed-precision.md. */
    public abstract static class Search extends JavaSnippet.Context {
        protected MultiLayerNetwork trained = network();
        protected DataSetIterator data = iterator();
        protected Sensitivities scores =
                new OutputDivergence()
                        .measure(SearchedNetwork.of(trained, iterator()), List.of(2, 4, 8));
        protected TrialData trialData = new RandomTrialData();
        protected Path folder = file(".search");
        protected Path file = file(".html");
        protected long seed = 1;
    }

    /** Data of a search by training. */
    private static final class RandomTrialData implements TrialData {

        private static final long serialVersionUID = 1;

        @Override
        public DataSetIterator train() {
            return iterator();
        }

        @Override
        public DataSetIterator validation() {
            return iterator();
        }

        @Override
        public String description() {
            return "random images";
        }
    }
}
