// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.util.List;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Makes integers of a network that was never trained, as for one that was. Its batch normalizations
 * get the statistics of random images, so that no activation dies or explodes on the way.
 */
final class RandomNetwork {

    /* Images that statistics and scales come from; one would do, but its variances are few. */
    private static final int IMAGES = 4;

    private static final double SCATTER = 0.2;

    /* A prime number of weights after which those of a large dense layer repeat. It is less than
     * what deflate looks back, so that hundreds of megabytes pack into one, and divides no row's
     * length, so that the rows differ. */
    private static final int PERIOD = 4093;

    private RandomNetwork() {}

    /**
     * {@return the network as integers of 8 bits}
     *
     * @param network one with random weights; it changes
     * @param input the shape of its input
     */
    static IntGraph lowered(ComputationGraph network, Shape input) {
        Nd4j.getRandom().setSeed(1);
        DataSet images = images(network, input);
        randomize(network, images);
        return Quantization.lower(
                Quantization.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        new ExistingDataSetIterator(List.of(images))));
    }

    /* Labels are needed by fit, and mean nothing. */
    private static DataSet images(ComputationGraph network, Shape input) {
        long[] batch = new long[input.rank() + 1];
        batch[0] = IMAGES;
        for (int i = 0; i < input.rank(); i++) {
            batch[i + 1] = input.size(i);
        }
        OutputLayer output = (OutputLayer) network.getOutputLayer(0).conf().getLayer();
        INDArray labels = Nd4j.zeros(IMAGES, output.getNOut());
        labels.getColumn(0).assign(1);
        return new DataSet(Nd4j.randn(batch), labels);
    }

    private static void randomize(ComputationGraph network, DataSet images) {
        Random random = new Random(2);
        boolean normalizes = false;
        for (Layer layer : network.getLayers()) {
            if (layer.conf().getLayer() instanceof BatchNormalization normalization) {
                normalization.setDecay(0);
                scatter(layer.getParam("gamma"), 1, random);
                scatter(layer.getParam("beta"), 0, random);
                normalizes = true;
            } else if (layer.conf().getLayer() instanceof DenseLayer
                    && layer.getParam("W").rows() > PERIOD) {
                repeat(layer.getParam("W"), random);
            }
        }
        if (normalizes) {
            network.fit(images);
        }
    }

    private static void scatter(INDArray values, double around, Random random) {
        for (long i = 0; i < values.length(); i++) {
            values.putScalar(i, around + SCATTER * random.nextGaussian());
        }
    }

    private static void repeat(INDArray weights, Random random) {
        float[] block = new float[PERIOD];
        double deviation = Math.sqrt(2.0 / weights.rows());
        for (int i = 0; i < PERIOD; i++) {
            block[i] = (float) (deviation * random.nextGaussian());
        }
        float[] all = new float[Math.toIntExact(weights.length())];
        for (int i = 0; i < all.length; i++) {
            all[i] = block[i % PERIOD];
        }
        // A unit's weights lie side by side.
        weights.assign(Nd4j.create(all, weights.shape(), 'f'));
    }
}
