// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.ZooNetworks.Zoo;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's model zoo: each network is prepared, trained for one iteration and lowered, and its codes
 * are compared between the network, the reference engine and ONNX Runtime. The table in {@code
 * docs/layers.md} shows the outcomes; {@link #main} prints its rows.
 */
class ZooTest {

    private static final Path TABLE = Path.of("..", "docs", "layers.md");
    private static final String SECTION = "## The model zoo";
    private static final Set<String> QUICK = Set.of("LeNet", "SimpleCNN");

    static Stream<Zoo> quick() {
        return ZooNetworks.all().stream().filter(zoo -> QUICK.contains(zoo.name()));
    }

    static Stream<Zoo> others() {
        return ZooNetworks.all().stream().filter(zoo -> !QUICK.contains(zoo.name()));
    }

    @ParameterizedTest
    @MethodSource("quick")
    void smallNetworksAreWhatTheTableSays(Zoo zoo) throws IOException {
        requireRow(zoo);
    }

    @Tag("thorough")
    @ParameterizedTest
    @MethodSource("others")
    void networksAreWhatTheTableSays(Zoo zoo) throws IOException {
        requireRow(zoo);
    }

    @Test
    void theTableHasEveryNetwork() throws IOException {
        assertEquals(
                ZooNetworks.all().stream().map(ZooTest::begin).toList(),
                rows().stream()
                        .map(row -> row.substring(0, row.lastIndexOf('|', row.length() - 2)))
                        .toList());
    }

    private static void requireRow(Zoo zoo) throws IOException {
        String row = row(zoo);
        assertEquals(
                row,
                rows().stream().filter(line -> line.startsWith(begin(zoo))).findFirst().orElse(""));
    }

    private static List<String> rows() throws IOException {
        return Files.readAllLines(TABLE).stream()
                .dropWhile(line -> !line.equals(SECTION))
                .filter(line -> line.startsWith("| ") && !line.startsWith("| network"))
                .toList();
    }

    private static String begin(Zoo zoo) {
        return "| "
                + zoo.name()
                + " | "
                + String.join("x", zoo.input().stream().map(String::valueOf).toList())
                + " ";
    }

    private static String row(Zoo zoo) {
        return begin(zoo) + "| " + outcome(zoo) + " |";
    }

    private static String outcome(Zoo zoo) {
        Nd4j.getRandom().setSeed(7);
        ComputationGraph network = zoo.network();
        DataSet data = zoo.data(network);
        ComputationGraph quantized =
                Quantization.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(data));
        if (quantized.getOutputLayer(0) instanceof IOutputLayer) { // else there is no loss
            quantized.fit(data);
        }
        try {
            requireExact(quantized, Quantization.lower(quantized), zoo.features());
            return "yes";
        } catch (LoweringException refused) {
            Set<String> reasons = new TreeSet<>();
            refused.obstacles().forEach(obstacle -> reasons.add(reason(obstacle)));
            return "no: " + String.join("; ", reasons);
        }
    }

    /* Without the layer's name before it, and the remedy after it. */
    private static String reason(String obstacle) {
        String begin = "to integers: ";
        String text = obstacle.substring(obstacle.indexOf(begin) + begin.length());
        return text.substring(0, text.indexOf(';'));
    }

    private static void requireExact(
            ComputationGraph quantized, IntGraph graph, INDArray features) {
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, runtime)
                    .over(EngineInputs.of(graph, new INDArray[] {features}))
                    .requireEqual();
            SimulatorReport report = SimulatorCheck.between(quantized, reference).over(features);
            assertNotEquals(0, report.codes());
            assertEquals(0, report.differingCodes(), report::toString);
        }
    }

    /**
     * Prints rows of the table.
     *
     * @param names networks; all of them without any
     */
    public static void main(String... names) {
        Set<String> chosen = Set.of(names);
        ZooNetworks.all().stream()
                .filter(zoo -> chosen.isEmpty() || chosen.contains(zoo.name()))
                .forEach(zoo -> System.out.println(row(zoo)));
    }
}
