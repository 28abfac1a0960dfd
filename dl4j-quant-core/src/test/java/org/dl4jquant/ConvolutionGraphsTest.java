// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The graphs of random networks around each layer that slides a kernel, in files: the tests of the
 * GPU's kernels read them, because they run without DL4J. {@link #main} writes them.
 */
public class ConvolutionGraphsTest {

    /** The folder in the test resources. */
    private static final String FOLDER = "convolutions/";

    private static final int EACH = 2;

    /**
     * One network.
     *
     * @param kind the layer inside
     * @param seed the seed of its options
     */
    private record Case(RandomConvolutions.Kind kind, int seed) {

        String file() {
            return kind.name().toLowerCase(java.util.Locale.ROOT) + "-" + seed + ".onnx";
        }

        IntGraph lowered() {
            Nd4j.getRandom().setSeed(seed);
            RandomLayers.Drawn drawn = new RandomConvolutions(seed).next(kind);
            MultiLayerNetwork prepared =
                    Quantization.prepare(
                            drawn.network(),
                            QuantSpec.of(LayerScheme.INT8),
                            new SingletonDataSetIterator(
                                    new DataSet(drawn.features().dup(), drawn.labels())));
            return Quantization.lower(prepared);
        }
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (RandomConvolutions.Kind kind : RandomConvolutions.Kind.values()) {
            for (int seed = 1; seed <= EACH; seed++) {
                cases.add(new Case(kind, seed));
            }
        }
        return cases;
    }

    /** Scales depend on the processor; the nodes and their shapes do not. */
    private static List<String> nodes(IntGraph graph) {
        return graph.nodes().stream()
                .map(
                        node ->
                                node.kind()
                                        + " "
                                        + node.name()
                                        + node.inputs()
                                        + graph.type(node.name()).shape())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theFileHoldsWhatLoweringMakes(Case one) throws IOException {
        try (InputStream file =
                Objects.requireNonNull(
                        ConvolutionGraphsTest.class.getResourceAsStream(FOLDER + one.file()))) {
            assertEquals(
                    nodes(one.lowered()),
                    nodes(OnnxReader.fromBytes(file.readAllBytes(), one.file())));
        }
    }

    /**
     * Writes the files anew, and the list of their names.
     *
     * @param folder the test resources of this package
     * @throws IOException if a file cannot be written
     */
    public static void main(String... folder) throws IOException {
        Path target = Files.createDirectories(Path.of(folder[0], FOLDER));
        StringBuilder names = new StringBuilder();
        for (Case one : cases()) {
            Files.write(target.resolve(one.file()), OnnxWriter.toBytes(one.lowered()));
            names.append(one.file()).append('\n');
        }
        Files.writeString(target.resolve("files.txt"), names, StandardCharsets.UTF_8);
    }
}
