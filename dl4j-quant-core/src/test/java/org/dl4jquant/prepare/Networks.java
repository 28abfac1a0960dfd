// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;

/** Toy networks and data for tests. */
public final class Networks {

    /** How many classes the data have. */
    public static final int CLASSES = 3;

    private Networks() {}

    /** {@return an initialized network of these layers} */
    public static MultiLayerNetwork of(InputType input, Layer... layers) {
        return of(new Nesterovs(0.005, 0.9), input, layers);
    }

    /** {@return an initialized network of these layers} */
    public static MultiLayerNetwork of(IUpdater updater, InputType input, Layer... layers) {
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(7).updater(updater).list();
        for (Layer layer : layers) {
            list.layer(layer);
        }
        MultiLayerConfiguration conf = list.setInputType(input).build();
        MultiLayerNetwork network = new MultiLayerNetwork(conf);
        network.init();
        return network;
    }

    /** {@return values from a normal distribution} */
    public static INDArray normal(long seed, long... shape) {
        Random random = new Random(seed);
        INDArray array = Nd4j.create(shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, (float) random.nextGaussian());
        }
        return array;
    }

    /** {@return one-hot labels, class after class} */
    public static INDArray labels(int examples) {
        INDArray labels = Nd4j.zeros(examples, CLASSES);
        for (int i = 0; i < examples; i++) {
            labels.putScalar(i, i % CLASSES, 1);
        }
        return labels;
    }

    /** {@return data whose class can be read off the inputs} */
    public static DataSet data(int examples, long... exampleShape) {
        long[] shape = new long[exampleShape.length + 1];
        shape[0] = examples;
        System.arraycopy(exampleShape, 0, shape, 1, exampleShape.length);
        INDArray features = normal(11, shape).muli(0.5);
        for (int i = 0; i < examples; i++) {
            features.slice(i).addi(i % CLASSES - 1);
        }
        return new DataSet(features, labels(examples));
    }

    /** {@return the data as an iterator with small batches} */
    public static DataSetIterator batches(DataSet data) {
        return new ListDataSetIterator<>(data.asList(), 8);
    }
}
