// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.prepare.Networks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class SensitivityTest {

    private static final int EXAMPLES = 12;
    private static final int INPUTS = 3;
    private static final List<Integer> WIDTHS = List.of(2, 4, 8);

    /* Float64 throughout, but for float32 features, labels and first weights. */
    private static final double TOLERANCE = 1e-6;

    private static DataSetIterator iterator(INDArray features, INDArray labels) {
        return new ListDataSetIterator<>(new DataSet(features, labels).asList(), 5);
    }

    private static MultiLayerNetwork regression() {
        return Networks.of(
                InputType.feedForward(INPUTS),
                new OutputLayer.Builder(LossFunction.MSE)
                        .name("line")
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build());
    }

    private static MultiLayerNetwork classifier() {
        return Networks.of(
                InputType.feedForward(INPUTS),
                new DenseLayer.Builder()
                        .name("hidden")
                        .nOut(4)
                        .activation(Activation.TANH)
                        .dropOut(0.5)
                        .build(),
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .name("output")
                        .nOut(Networks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build());
    }

    private static DataSetIterator classes() {
        return iterator(Networks.normal(5, EXAMPLES, INPUTS), Networks.labels(EXAMPLES));
    }

    @Test
    void theTraceOfALinearRegressionIsExactIfItsInputsAreOrthogonal() {
        INDArray features = Nd4j.zeros(EXAMPLES, INPUTS);
        double squares = 0;
        for (int i = 0; i < EXAMPLES; i++) {
            float value = 1 + 0.25f * i;
            features.putScalar(i, i % INPUTS, value);
            squares += (double) value * value;
        }
        SearchedNetwork network =
                SearchedNetwork.of(
                        regression(), iterator(features, Networks.normal(6, EXAMPLES, 2)));
        // The loss is the mean square over 2 outputs: each weight's second derivative is
        // 2 / 2 * E[x_i^2], and there are 2 weights for each input.
        double meanTrace = 2 * (squares / EXAMPLES) / (2 * INPUTS);
        assertEquals(meanTrace, new HessianTrace(1, 3).meanTraces(network).get("line"), TOLERANCE);

        Sensitivities scores = new HessianTrace(1, 3).measure(network, WIDTHS);
        INDArray weights = regression().getParam("0_W");
        for (int bits : WIDTHS) {
            INDArray error = network.errors(bits).get("line").get("W");
            double norm = error.mul(error).sumNumber().doubleValue();
            assertEquals(meanTrace * norm, scores.score("line", bits), TOLERANCE);
            assertEquals(weights.shape()[0], error.size(0));
        }
    }

    @Test
    void theTraceOfANetworkIsThatOfSecondDifferences() {
        MultiLayerNetwork trained = classifier();
        Map<String, Double> estimate =
                new HessianTrace(600, 1).meanTraces(SearchedNetwork.of(trained, classes()));
        MultiLayerNetwork exact = trained.convertDataType(DataType.DOUBLE);
        DataSet all =
                new DataSet(
                        Networks.normal(5, EXAMPLES, INPUTS).castTo(DataType.DOUBLE),
                        Networks.labels(EXAMPLES).castTo(DataType.DOUBLE));
        for (int layer = 0; layer < 2; layer++) {
            INDArray w = exact.getLayer(layer).getParam("W");
            double trace = 0;
            double step = 1e-4;
            double here = exact.score(all, false);
            for (long i = 0; i < w.length(); i++) {
                double kept = w.getDouble(i);
                w.putScalar(i, kept + step);
                double above = exact.score(all, false);
                w.putScalar(i, kept - step);
                double below = exact.score(all, false);
                w.putScalar(i, kept);
                trace += (above - 2 * here + below) / (step * step);
            }
            double mean = trace / w.length();
            // 600 vectors of fixed seed: the estimate's own deviation is about 3 %
            assertEquals(mean, estimate.get(layer == 0 ? "hidden" : "output"), 0.1 * mean);
        }
    }

    private static MultiLayerNetwork normalized() {
        return Networks.of(
                InputType.convolutional(5, 5, 2),
                new ConvolutionLayer.Builder(3, 3)
                        .name("conv")
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .build(),
                new BatchNormalization.Builder().build(),
                new ActivationLayer.Builder().activation(Activation.TANH).build(),
                new DenseLayer.Builder()
                        .name("dense")
                        .nOut(4)
                        .activation(Activation.IDENTITY)
                        .build(),
                new BatchNormalization.Builder().build(),
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .name("output")
                        .nOut(Networks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build());
    }

    private static List<DataSet> images() {
        return List.of(
                new DataSet(Networks.normal(9, 5, 2, 5, 5), Networks.labels(5)),
                new DataSet(Networks.normal(10, 1, 2, 5, 5), Networks.labels(1)));
    }

    /** Whatever is in a batch, even one example: the loss is that of inference. */
    @Test
    void gradientsAreThoseOfInferenceBehindBatchNormalizations() {
        MultiLayerNetwork layers = normalized();
        layers.fit(new ListDataSetIterator<>(images().get(0).asList(), 5), 5);
        MultiLayerNetwork same = layers.convertDataType(DataType.DOUBLE);
        for (DataSet batch : images()) {
            requireGradients(
                    new MeasuredNetwork(NetworkView.of(layers)).exactCopy().gradient(batch),
                    same.paramTable(),
                    batch.numExamples(),
                    () -> same.score(inDouble(batch), false));
        }

        ComputationGraph graph = residual();
        DataSet six = new DataSet(Networks.normal(11, 6, 2, 6, 6), Networks.labels(6));
        graph.fit(new ListDataSetIterator<>(six.asList(), 6), 5);
        ComputationGraph sameGraph = graph.convertDataType(DataType.DOUBLE);
        requireGradients(
                new MeasuredNetwork(NetworkView.of(graph)).exactCopy().gradient(six),
                sameGraph.paramTable(),
                6,
                () -> sameGraph.score(inDouble(six), false));
    }

    private static DataSet inDouble(DataSet batch) {
        return new DataSet(
                batch.getFeatures().castTo(DataType.DOUBLE),
                batch.getLabels().castTo(DataType.DOUBLE));
    }

    /* Sums over the examples against central differences of the mean loss. */
    private static void requireGradients(
            Gradient found, Map<String, INDArray> parameters, int examples, DoubleSupplier loss) {
        double step = 1e-5;
        int checked = 0;
        for (Map.Entry<String, INDArray> parameter : parameters.entrySet()) {
            if (!parameter.getKey().endsWith("_W")) {
                continue;
            }
            INDArray gradient = found.getGradientFor(parameter.getKey());
            INDArray weights = parameter.getValue();
            for (long i = 0; i < weights.length(); i++) {
                double kept = weights.getDouble(i);
                weights.putScalar(i, kept + step);
                double above = loss.getAsDouble();
                weights.putScalar(i, kept - step);
                double below = loss.getAsDouble();
                weights.putScalar(i, kept);
                assertEquals(
                        (above - below) / (2 * step),
                        gradient.getDouble(i) / examples,
                        TOLERANCE,
                        parameter.getKey() + " " + i);
                checked++;
            }
        }
        assertTrue(checked > 100, checked + " weights");
    }

    @Test
    void dataSeenTwiceChangeNoMean() {
        INDArray features = Networks.normal(5, EXAMPLES, INPUTS);
        INDArray labels = Networks.labels(EXAMPLES);
        MultiLayerNetwork trained = classifier();
        SearchedNetwork once = SearchedNetwork.of(trained, iterator(features, labels));
        SearchedNetwork twice =
                SearchedNetwork.of(
                        trained,
                        iterator(Nd4j.vstack(features, features), Nd4j.vstack(labels, labels)));
        for (Sensitivity measure : List.of(new HessianTrace(3, 2), new FisherScore())) {
            Sensitivities expected = measure.measure(once, WIDTHS);
            Sensitivities found = measure.measure(twice, WIDTHS);
            for (String layer : expected.layers()) {
                assertEquals(
                        expected.score(layer, 2),
                        found.score(layer, 2),
                        TOLERANCE * expected.score(layer, 2));
            }
        }
    }

    @Test
    void fisherIsTheMeanSquaredGradientTimesTheSquaredError() {
        INDArray features = Networks.normal(7, EXAMPLES, INPUTS);
        INDArray labels = Networks.normal(8, EXAMPLES, 2);
        MultiLayerNetwork trained = regression();
        SearchedNetwork network = SearchedNetwork.of(trained, iterator(features, labels));
        INDArray w = trained.getParam("0_W");
        INDArray bias = trained.getParam("0_b");
        double[][] squares = new double[INPUTS][2];
        for (int e = 0; e < EXAMPLES; e++) {
            for (int o = 0; o < 2; o++) {
                double result = bias.getDouble(o);
                for (int i = 0; i < INPUTS; i++) {
                    result += features.getDouble(e, i) * w.getDouble(i, o);
                }
                for (int i = 0; i < INPUTS; i++) {
                    // The mean over 2 outputs of squares: 2 / 2 (result - label) x
                    double g = (result - labels.getDouble(e, o)) * features.getDouble(e, i);
                    squares[i][o] += g * g / EXAMPLES;
                }
            }
        }
        INDArray error = network.errors(4).get("line").get("W");
        double expected = 0;
        for (int i = 0; i < INPUTS; i++) {
            for (int o = 0; o < 2; o++) {
                expected += squares[i][o] * error.getDouble(i, o) * error.getDouble(i, o);
            }
        }
        assertEquals(
                expected, new FisherScore().measure(network, WIDTHS).score("line", 4), TOLERANCE);
    }

    @Test
    void roundingErrorsAreThoseToTheNearestCodeOfEachOutput() {
        MultiLayerNetwork trained = regression();
        SearchedNetwork network =
                SearchedNetwork.of(
                        trained,
                        iterator(
                                Networks.normal(7, EXAMPLES, INPUTS),
                                Networks.normal(8, EXAMPLES, 2)));
        INDArray w = trained.getParam("0_W");
        INDArray error = network.errors(8).get("line").get("W");
        for (int o = 0; o < 2; o++) {
            double largest = 0;
            for (int i = 0; i < INPUTS; i++) {
                largest = Math.max(largest, Math.abs(w.getDouble(i, o)));
            }
            for (int i = 0; i < INPUTS; i++) {
                // Scales of 8 bits may clip a little, but no error is more than some codes.
                assertTrue(Math.abs(error.getDouble(i, o)) <= 3 * largest / 127);
            }
        }
    }

    @Test
    void divergenceIsThatOfTheProbabilities() {
        MultiLayerNetwork trained = classifier();
        SearchedNetwork network = SearchedNetwork.of(trained, classes());
        Sensitivities scores = new OutputDivergence().measure(network, WIDTHS);
        double expected = 0;
        for (DataSet batch : network.data()) {
            INDArray p = trained.output(batch.getFeatures());
            INDArray q = network.prepareAlone("hidden", 2).output(batch);
            for (int e = 0; e < p.size(0); e++) {
                for (int c = 0; c < Networks.CLASSES; c++) {
                    expected += p.getDouble(e, c) * Math.log(p.getDouble(e, c) / q.getDouble(e, c));
                }
            }
        }
        assertEquals(expected / EXAMPLES, scores.score("hidden", 2), 1e-5);
        for (String layer : scores.layers()) {
            assertTrue(scores.score(layer, 2) > scores.score(layer, 4));
            assertTrue(scores.score(layer, 4) > scores.score(layer, 8));
            assertTrue(scores.score(layer, 8) >= -1e-7);
        }
    }

    @Test
    void accuracyLostIsWhatEvaluateLoses() {
        MultiLayerNetwork trained = classifier();
        trained.fit(classes(), 60);
        SearchedNetwork network = SearchedNetwork.of(trained, classes());
        Sensitivities scores = new AccuracyLoss().measure(network, List.of(8, 2));
        assertEquals(List.of(2, 8), scores.widths());
        double inFloat = trained.evaluate(classes()).accuracy();
        double rounded = network.prepareAlone("output", 2).evaluate(network.data()).accuracy();
        assertEquals(inFloat - rounded, scores.score("output", 2), 1e-12);
    }

    @Test
    void theNetworkIsOnlyRead() {
        MultiLayerNetwork trained = classifier();
        trained.fit(classes());
        INDArray parameters = trained.params().dup();
        INDArray state = trained.getUpdater().getStateViewArray().dup();
        SearchedNetwork network = SearchedNetwork.of(trained, classes());
        for (Sensitivity measure :
                List.of(
                        new HessianTrace(2, 1),
                        new FisherScore(),
                        new OutputDivergence(),
                        new AccuracyLoss())) {
            measure.measure(network, List.of(4));
        }
        assertEquals(parameters, trained.params());
        assertEquals(state, trained.getUpdater().getStateViewArray());
    }

    private static ComputationGraph residual() {
        ComputationGraphConfiguration conf =
                new NeuralNetConfiguration.Builder()
                        .seed(3)
                        .convolutionMode(ConvolutionMode.Same)
                        .graphBuilder()
                        .addInputs("in")
                        .setInputTypes(InputType.convolutional(6, 6, 2))
                        .addLayer("stem", convolution(4, 3), "in")
                        .addLayer("a", convolution(4, 3), "stem")
                        .addLayer("a-norm", new BatchNormalization(), "a")
                        .addLayer("short", convolution(4, 1), "stem")
                        .addVertex(
                                "sum",
                                new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                "a-norm",
                                "short")
                        .addLayer("relu", new ActivationLayer(Activation.RELU), "sum")
                        .addLayer("b", convolution(4, 3), "relu")
                        .addVertex(
                                "sum2",
                                new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                "b",
                                "relu")
                        .addLayer("pool", new GlobalPoolingLayer(), "sum2")
                        .addLayer(
                                "output",
                                new OutputLayer.Builder(LossFunction.MCXENT)
                                        .nOut(Networks.CLASSES)
                                        .activation(Activation.SOFTMAX)
                                        .build(),
                                "pool")
                        .setOutputs("output")
                        .build();
        ComputationGraph graph = new ComputationGraph(conf);
        graph.init();
        return graph;
    }

    private static ConvolutionLayer convolution(int channels, int kernel) {
        return new ConvolutionLayer.Builder(kernel, kernel)
                .nOut(channels)
                .activation(Activation.IDENTITY)
                .build();
    }

    static SearchedNetwork searchedResidual() {
        return SearchedNetwork.of(
                residual(),
                iterator(Networks.normal(1, EXAMPLES, 2, 6, 6), Networks.labels(EXAMPLES)));
    }

    @Test
    void layersThatMeetInASumAreTied() {
        SearchedNetwork network = searchedResidual();
        assertEquals(List.of("stem", "a", "short", "b", "output"), sorted(network.layers()));
        List<List<String>> groups = new ArrayList<>();
        network.groups().forEach(group -> groups.add(sorted(group)));
        assertTrue(groups.contains(List.of("a", "short")), groups.toString());
        assertEquals(4, groups.size());
    }

    private static List<String> sorted(List<String> layers) {
        List<String> order = List.of("stem", "a", "short", "b", "output");
        return layers.stream()
                .sorted((x, y) -> Integer.compare(order.indexOf(x), order.indexOf(y)))
                .toList();
    }

    @Test
    void multiplicationsAreThoseOfLoops() {
        SearchedNetwork network = searchedResidual();
        Map<String, Long> expected = new LinkedHashMap<>();
        expected.put("stem", 36L * 9 * 2 * 4);
        expected.put("a", 36L * 9 * 4 * 4);
        expected.put("short", 36L * 4 * 4);
        expected.put("b", 36L * 9 * 4 * 4);
        expected.put("output", 4L * Networks.CLASSES);
        expected.forEach(
                (layer, count) -> assertEquals(count, network.multiplications(layer), layer));
        assertEquals(9 * 2 * 4, network.weights("stem"));
        assertEquals(36.0, Cost.bytes(network).of("stem", 4));
        assertEquals(16.0 * 36 * 16, Cost.bitOperations(network).of("short", 4));
    }

    @Test
    void graphsHaveAllSensitivities() {
        SearchedNetwork network = searchedResidual();
        for (Sensitivity measure :
                List.of(new HessianTrace(2, 1), new FisherScore(), new OutputDivergence())) {
            Sensitivities scores = measure.measure(network, List.of(2, 8));
            for (String layer : network.layers()) {
                assertTrue(scores.score(layer, 2) >= scores.score(layer, 8), scores.toString());
            }
        }
    }

    @Test
    void refusesWhatCannotBeMeasured() {
        SearchedNetwork line =
                SearchedNetwork.of(
                        regression(),
                        iterator(
                                Networks.normal(7, EXAMPLES, INPUTS),
                                Networks.normal(8, EXAMPLES, 2)));
        assertTrue(
                message(() -> new OutputDivergence().measure(line, WIDTHS))
                        .endsWith("not 1); use HessianTrace or FisherScore"));
        assertEquals(
                "widths [4, 4]; give one or more of 2 to 8, each once",
                message(() -> new FisherScore().measure(line, List.of(4, 4))));
        assertEquals(
                "widths []; give one or more of 2 to 8, each once",
                message(() -> new FisherScore().measure(line, List.of())));
        assertEquals(
                "a trace by 0 random vectors; use 1 or more",
                message(() -> new HessianTrace(0, 1)));
        assertEquals(
                "there is no layer 'x' with weights to quantize; there are [line]",
                message(() -> line.weights("x")));
        DataSetIterator used = classes();
        while (used.hasNext()) {
            used.next();
        }
        assertEquals(
                "there are no data to measure sensitivities on; give some hundreds of examples, and"
                        + " reset the iterator first",
                message(() -> SearchedNetwork.of(classifier(), used)));
        assertEquals(
                "there is no sensitivity of layer 'line' to 3 bits; there are layers [line] and"
                        + " widths [2, 4, 8]",
                message(() -> new FisherScore().measure(line, WIDTHS).score("line", 3)));
    }

    private static String message(Executable executable) {
        return assertThrows(IllegalArgumentException.class, executable).getMessage();
    }
}
