// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Random recurrent networks, and masks for them.
 *
 * @param trained the float network
 * @param prepared the same with quantizers
 * @param data its calibration data, with a mask
 * @param steps of these
 */
@SuppressWarnings("deprecation") // GravesLSTM
record DrawnSequences(
        MultiLayerNetwork trained, MultiLayerNetwork prepared, DataSet data, int steps) {

    private static final List<Bidirectional.Mode> MODES = List.of(Bidirectional.Mode.values());

    static DrawnSequences of(Random random, boolean pools) {
        int features = 1 + random.nextInt(4);
        int steps = 2 + random.nextInt(7);
        int units = 1 + random.nextInt(6);
        boolean all = random.nextInt(3) == 0;
        Layer[] ending =
                all
                        ? new Layer[] {simple(units), recurrent(random, units), all()}
                        : new Layer[] {
                            recurrent(random, units), ending(random, units, pools), one()
                        };
        MultiLayerNetwork trained = Networks.of(InputType.recurrent(features, steps), ending);
        DataSet data =
                new DataSet(
                        Networks.normal(random.nextLong(), 8, features, steps),
                        all
                                ? Networks.normal(random.nextLong(), 8, Networks.CLASSES, steps)
                                : Networks.labels(8));
        data.setFeaturesMaskArray(lengths(random, 8, steps));
        if (all) {
            data.setLabelsMaskArray(data.getFeaturesMaskArray());
        }
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8);
        MultiLayerNetwork prepared = Quantization.prepare(trained, spec, Networks.batches(data));
        return new DrawnSequences(trained, prepared, data, steps);
    }

    private static Layer recurrent(Random random, int units) {
        Layer layer =
                switch (random.nextInt(3)) {
                    case 0 -> new LSTM.Builder().nOut(units).activation(Activation.TANH).build();
                    case 1 ->
                            new GravesLSTM.Builder()
                                    .nOut(units)
                                    .activation(Activation.TANH)
                                    .build();
                    default -> simple(units);
                };
        return switch (random.nextInt(4)) {
            case 0 -> new Bidirectional(MODES.get(random.nextInt(MODES.size())), layer);
            default -> layer;
        };
    }

    /* DL4J's LSTM lets the mask of the features pass, its SimpleRnn obeys it. */
    private static Layer simple(int units) {
        return new SimpleRnn.Builder().nOut(units).activation(Activation.TANH).build();
    }

    private static Layer ending(Random random, int units, boolean pools) {
        return !pools || random.nextBoolean()
                ? new LastTimeStep(recurrent(random, units))
                : new GlobalPoolingLayer.Builder(PoolingType.MAX).build();
    }

    static Layer one() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static Layer all() {
        return new RnnOutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    INDArray features(Random random, int examples) {
        return features(random, examples, steps);
    }

    INDArray features(Random random, int examples, int steps) {
        long features = ((FeedForwardLayer) first()).getNIn();
        return Networks.normal(random.nextLong(), examples, features, steps);
    }

    private Layer first() {
        Layer layer = trained.getLayer(0).conf().getLayer();
        return layer instanceof Bidirectional both ? both.getFwd() : layer;
    }

    static INDArray lengths(Random random, int examples, int steps) {
        INDArray mask = Nd4j.zeros(examples, steps);
        for (int i = 0; i < examples; i++) {
            int length = 1 + random.nextInt(steps);
            mask.get(NDArrayIndex.point(i), NDArrayIndex.interval(0, length)).assign(1);
        }
        return mask;
    }

    /* Steps hidden anywhere; one counts in each example. */
    static INDArray holes(Random random, int examples, int steps) {
        INDArray mask = Nd4j.zeros(examples, steps);
        for (int i = 0; i < examples; i++) {
            for (int t = 0; t < steps; t++) {
                mask.putScalar(i, t, random.nextInt(2));
            }
            mask.putScalar(i, random.nextInt(steps), 1);
        }
        return mask;
    }
}
