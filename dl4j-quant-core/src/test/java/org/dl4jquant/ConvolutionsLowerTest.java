// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Random networks around each layer that slides a kernel: they lower, the network infers what the
 * reference and ONNX Runtime compute, and each layer computes what DL4J's own float layer does.
 */
class ConvolutionsLowerTest {

    private static final int FEW = 3;
    private static final int MANY = 200;

    private static final List<LayerScheme> SCHEMES =
            List.of(
                    LayerScheme.INT8,
                    new LayerScheme(
                            TensorScheme.INT8_WEIGHTS,
                            TensorScheme.INT8_ACTIVATIONS.withSymmetry(Symmetry.ASYMMETRIC)),
                    LayerScheme.ofBits(4, 4));

    @ParameterizedTest
    @EnumSource
    void aLayerLowersWithAllItsOptions(RandomConvolutions.Kind kind) {
        check(kind, 1, FEW);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("thorough")
    void aLayerLowersWithManyOptions(RandomConvolutions.Kind kind) {
        check(kind, FEW + 1, MANY);
    }

    private static void check(RandomConvolutions.Kind kind, int first, int count) {
        List<String> faults = new ArrayList<>();
        for (int seed = first; seed < first + count; seed++) {
            Nd4j.getRandom().setSeed(seed);
            RandomLayers.Drawn drawn = new RandomConvolutions(seed).next(kind);
            try {
                check(drawn, seed);
            } catch (RuntimeException | AssertionError fault) {
                faults.add(
                        "seed "
                                + seed
                                + ": "
                                + fault
                                + " in "
                                + RandomLayers.describe(drawn.network()));
            }
        }
        if (!faults.isEmpty()) {
            fail(faults.size() + " of " + count + ": " + String.join("\n", faults));
        }
    }

    private static void check(RandomLayers.Drawn drawn, int seed) {
        LayerScheme scheme = SCHEMES.get(seed % SCHEMES.size());
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        drawn.network(),
                        QuantSpec.of(scheme),
                        new SingletonDataSetIterator(
                                new DataSet(drawn.features().dup(), drawn.labels())));
        // Twice the calibrated values: half of the networks are asked what they clip, too.
        INDArray features = drawn.features().mul(seed % 2 + 1);
        new FloatOracle(drawn.network(), prepared, false)
                .check(features, RandomLayers.describe(drawn.network()));
        IntGraph graph = Quantization.lower(prepared);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            assertEquals(
                    0, SimulatorCheck.between(prepared, reference).over(features).differingCodes());
            EqualityCheck.between(reference, onnx)
                    .over(List.of(EngineInputs.of(graph, features)))
                    .requireEqual();
            assertEquals(
                    graph.nodes(), OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "file").nodes());
        }
    }
}
