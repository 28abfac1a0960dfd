// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.UpdaterStates;
import org.dl4jquant.prepare.LayerSizes;
import org.dl4jquant.prepare.Recalibration;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Random networks in which a layer gets another number of outputs: all layers but that one, those
 * in between and the next one with weights stay as they are, bit for bit, the network trains, and
 * the engine computes what it computes.
 */
class ResizedNetworksTest {

    private static final int FEW = 32;
    private static final int MANY = 800;

    @Test
    void layersGetOtherNumbersOfOutputs() {
        resize(1, FEW);
    }

    @Test
    @Tag("thorough")
    void layersOfManyNetworksGetOtherNumbersOfOutputs() {
        resize(FEW + 1, MANY);
    }

    private static void resize(int first, int networks) {
        Map<String, Integer> counts = new TreeMap<>();
        List<String> faults = new ArrayList<>();
        for (int seed = first; seed < first + networks; seed++) {
            try {
                counts.merge(resize(seed), 1, Integer::sum);
            } catch (RuntimeException | AssertionError fault) {
                faults.add("seed " + seed + ": " + fault);
            }
        }
        if (!faults.isEmpty()) {
            fail(faults.size() + " of " + networks + ": " + String.join("\n", faults));
        }
        int resized = counts.getOrDefault("lowers", 0);
        assertTrue(resized > networks / 5, () -> "too few were changed: " + counts);
    }

    private static String resize(int seed) {
        Nd4j.getRandom().setSeed(seed);
        RandomLayers.Drawn drawn = new RandomLayers(seed).next(seed);
        DataSet data = new DataSet(drawn.features().dup(), drawn.labels());
        MultiLayerNetwork before =
                Quantization.prepare(
                        drawn.network(),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(data));
        before.fit(data);
        List<Integer> changeable = changeable(before);
        if (changeable.isEmpty()) {
            return "has one layer";
        }
        Random random = new Random(seed);
        int index = changeable.get(random.nextInt(changeable.size()));
        int outputs = 1 + random.nextInt(9);
        if (outputs == outputs(before, index)) {
            outputs += 2;
        }
        String name = NetworkView.of(before).names().get(index);
        String network = name + " of " + RandomLayers.describe(drawn.network());
        MultiLayerNetwork after;
        try {
            after = LayerSizes.of(before).nOutReplace(name, outputs).build();
        } catch (IllegalArgumentException refused) {
            assertTrue(
                    String.valueOf(refused.getMessage()).contains("cannot follow"),
                    () -> refused.getMessage() + " in " + network);
            return "cannot follow";
        }
        assertEquals(outputs, outputs(after, index));
        requireOthersSame(before, after, index, network);
        Recalibration.ofUncalibrated(after, new SingletonDataSetIterator(data));
        requireOthersSame(before, after, index, network);
        after.fit(data);
        assertTrue(Double.isFinite(after.score()), network);
        return lowers(before) && engineComputes(after, data, network) ? "lowers" : "trains";
    }

    private static List<Integer> changeable(MultiLayerNetwork network) {
        List<Integer> indices = new ArrayList<>();
        for (int i = 0; i < network.getnLayers() - 1; i++) {
            if (outputs(network, i) > 0) {
                indices.add(i);
            }
        }
        return indices;
    }

    private static long outputs(MultiLayerNetwork network, int index) {
        return LayerKinds.of(QuantizedLayers.underlyingConfiguration(network.getLayer(index)))
                .outputs()
                .orElse(0);
    }

    private static void requireOthersSame(
            MultiLayerNetwork before, MultiLayerNetwork after, int index, String network) {
        int reader = index + 1;
        while (reader < before.getnLayers() - 1 && outputs(before, reader) == 0) {
            reader++;
        }
        UpdaterStates then = UpdaterStates.of(NetworkView.of(before));
        UpdaterStates now = UpdaterStates.of(NetworkView.of(after));
        for (int i = 0; i < before.getnLayers(); i++) {
            Layer old = before.getLayer(i);
            Layer made = after.getLayer(i);
            if (i < index || i > reader) {
                assertEquals(old.params(), made.params(), network);
                String name = NetworkView.of(before).names().get(i);
                for (String key : old.paramTable().keySet()) {
                    assertEquals(then.get(name, key), now.get(name, key), network);
                }
            }
        }
        assertNotEquals(
                before.getLayer(index).numParams(), after.getLayer(index).numParams(), network);
        assertEquals(before.getIterationCount(), after.getIterationCount());
    }

    private static boolean lowers(MultiLayerNetwork network) {
        try {
            Quantization.lower(network);
            return true;
        } catch (LoweringException refused) {
            return false;
        }
    }

    private static boolean engineComputes(
            MultiLayerNetwork network, DataSet data, String description) {
        IntGraph graph = Quantization.lower(network);
        try (Engine engine = Engine.open("reference", graph)) {
            LayersAgreeWithDl4jTest.requireSameCodes(
                    network, engine, data.getFeatures(), description);
        }
        return true;
    }
}
