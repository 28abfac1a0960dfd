// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Random networks over all options of DL4J's layers: each layer of the prepared network computes
 * what DL4J's own float layer computes from the rounded weights, the rounded bias and the values of
 * the input's codes, rounded once; and the engine computes what the network computes.
 *
 * <p>Engines that agree prove only half: they and the network's inference could share a mistake.
 */
class LayersAgreeWithDl4jTest {

    private static final int FEW = 64;
    private static final int MANY = 1200;

    private static final LayerScheme ASYMMETRIC =
            new LayerScheme(
                    TensorScheme.INT8_WEIGHTS,
                    TensorScheme.INT8_ACTIVATIONS.withSymmetry(Symmetry.ASYMMETRIC));

    private static final LayerScheme NARROW = LayerScheme.ofBits(4, 4);

    private static final List<LayerScheme> SCHEMES =
            List.of(
                    LayerScheme.INT8,
                    ASYMMETRIC,
                    NARROW,
                    LayerScheme.INT16,
                    new LayerScheme(TensorScheme.INT8_WEIGHTS, null));

    @Test
    void everyLayerComputesWhatDl4jsFloatLayerComputes() {
        compare(1, FEW);
    }

    @Test
    @Tag("thorough")
    void everyLayerOfManyNetworksComputesWhatDl4jsFloatLayerComputes() {
        compare(FEW + 1, MANY);
    }

    private static void compare(int first, int networks) {
        Map<String, Integer> counts = new TreeMap<>();
        List<String> faults = new ArrayList<>();
        for (int seed = first; seed < first + networks; seed++) {
            try {
                counts.merge(compare(seed), 1, Integer::sum);
            } catch (RuntimeException | AssertionError fault) {
                faults.add("seed " + seed + ": " + fault);
            }
        }
        if (!faults.isEmpty()) {
            fail(faults.size() + " of " + networks + ": " + String.join("\n", faults));
        }
        int lowered = counts.getOrDefault("lowered", 0);
        assertTrue(lowered > networks / 4, () -> "too few become integers: " + counts);
    }

    /** Returns the prepared and lowered network. */
    private static String compare(int seed) {
        Nd4j.getRandom().setSeed(seed);
        LayerScheme scheme = SCHEMES.get(seed / 16 % SCHEMES.size());
        RandomLayers.Drawn drawn = new RandomLayers(seed).next(seed);
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        drawn.network(),
                        QuantSpec.of(scheme),
                        new SingletonDataSetIterator(
                                new DataSet(drawn.features().dup(), drawn.labels())));
        String network = RandomLayers.describe(drawn.network());
        // Twice the calibrated values: half of the networks are asked what they clip, too.
        INDArray features = drawn.features().mul(seed % 2 == 0 && !hasIndices(drawn) ? 2 : 1);
        boolean exactRange = seed % 2 == 1 && !scheme.equals(NARROW);
        new FloatOracle(drawn.network(), prepared, exactRange).check(features, network);
        IntGraph graph;
        try {
            graph = Quantization.lower(prepared);
        } catch (LoweringException refused) {
            return "refused";
        }
        try (Engine engine = Engine.open("reference", graph)) {
            requireSameCodes(prepared, engine, features, network);
        }
        return "lowered";
    }

    private static boolean hasIndices(RandomLayers.Drawn drawn) {
        return drawn.network().getLayer(0).conf().getLayer() instanceof EmbeddingLayer;
    }

    private static boolean endsWithIdentity(MultiLayerNetwork prepared) {
        org.deeplearning4j.nn.conf.layers.Layer last =
                QuantizedLayers.underlyingConfiguration(prepared.getOutputLayer());
        return ((BaseLayer) last).getActivationFn() instanceof ActivationIdentity;
    }

    /** Checks that each layer of a row computes the codes that an engine computes. */
    static void requireSameCodes(
            MultiLayerNetwork prepared, Engine engine, INDArray features, String network) {
        Map<String, Batch> trace = engine.trace(EngineInputs.of(engine.graph(), features));
        for (int i = 0; i < prepared.getnLayers(); i++) {
            Batch computed = trace.get(prepared.getLayerNames().get(i));
            if (computed instanceof Batch.Floats result && endsWithIdentity(prepared)) {
                assertArrayEquals(
                        RowMajor.floats(prepared.output(features.dup())),
                        result.values(),
                        () -> "the engine's result in " + network);
            }
            if (computed instanceof Batch.Codes codes) {
                float[] values =
                        RowMajor.floats(prepared.feedForwardToLayer(i, features.dup()).get(i + 1));
                for (int at = 0; at < values.length; at++) {
                    int found = codes.params().quantize(values[at]);
                    assertEquals(codes.code(at), found, () -> "the engine's code in " + network);
                }
            }
        }
    }
}
