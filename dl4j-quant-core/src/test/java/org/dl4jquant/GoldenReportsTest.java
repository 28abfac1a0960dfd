// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.lower.TestNetworks;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.prepare.PreparedNetwork;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.dl4jquant.search.SearchedNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What {@code prepare} reports of sample networks, the graph that {@code lower} makes of them or
 * its refusal, and the layers that {@code search} lists and ties, stay what they are. The golden
 * files lie in the test resources; {@link #main} writes them. They hold no scales, which depend on
 * the processor.
 */
public class GoldenReportsTest {

    private static final String FOLDER = "golden/";
    private static final int DRAWN = 64;

    private static final String UNKNOWN_BEFORE = "or a window would see padding only";

    /** Of what DL4J puts into batches. */
    private static final int LARGEST_RANK = 4;

    private static final List<LayerScheme> SCHEMES =
            List.of(
                    LayerScheme.INT8,
                    LayerScheme.ofBits(4, 4),
                    new LayerScheme(TensorScheme.INT8_WEIGHTS, null),
                    LayerScheme.FP16);

    /** A group of networks, each file's one. */
    private record Group(String name, Supplier<Map<String, String>> reports) {
        @Override
        public String toString() {
            return name;
        }

        String file() {
            return FOLDER + name + ".txt";
        }

        String text() {
            return reports.get().entrySet().stream()
                    .map(report -> "==== " + report.getKey() + "\n" + report.getValue() + "\n")
                    .collect(Collectors.joining())
                    // Other tests hold the lists, which each new kind makes longer.
                    .replaceAll("that lower are [^\\n]*", "that lower are ...");
        }
    }

    static List<Group> groups() {
        return List.of(
                new Group("kinds", GoldenReportsTest::kinds),
                new Group("compositions", GoldenReportsTest::compositions),
                new Group("architectures", GoldenReportsTest::architectures),
                new Group("drawn", GoldenReportsTest::drawn));
    }

    private static Map<String, String> kinds() {
        Map<String, String> reports = new LinkedHashMap<>();
        for (SampleNetworks.Kind kind : SampleNetworks.all()) {
            reports.put(kind.name(), report(kind.network(), LayerScheme.INT8, kind.data()));
        }
        return reports;
    }

    private static Map<String, String> compositions() {
        Map<String, String> reports = new LinkedHashMap<>();
        for (GoldenNetworks.Named named : GoldenNetworks.all()) {
            reports.put(named.name(), report(named.network(), LayerScheme.INT8, named.data()));
        }
        return reports;
    }

    private static Map<String, String> architectures() {
        DataSet grey = TestNetworks.images(8, 1, 1);
        DataSet colours = TestNetworks.images(8, 3, 1);
        Map<String, String> reports = new LinkedHashMap<>();
        for (LayerScheme scheme : SCHEMES) {
            String as = " as " + scheme.widths();
            reports.put("LeNet" + as, report(TestNetworks.leNet(), scheme, grey));
            reports.put("ResNet" + as, report(TestNetworks.resNet(), scheme, colours));
            reports.put("MobileNet" + as, report(TestNetworks.mobileNet(), scheme, colours));
            reports.put("residual" + as, report(TestNetworks.residualOnInput(), scheme, colours));
            reports.put("clamp first" + as, report(TestNetworks.clampThenPool(), scheme, grey));
            reports.put("pool first" + as, report(TestNetworks.poolFirst(), scheme, grey));
        }
        return reports;
    }

    private static Map<String, String> drawn() {
        Map<String, String> reports = new LinkedHashMap<>();
        for (int seed = 1; seed <= DRAWN; seed++) {
            Nd4j.getRandom().setSeed(seed);
            RandomLayers.Drawn drawn = new RandomLayers(seed).next(seed);
            LayerScheme scheme = SCHEMES.get(seed / 16 % SCHEMES.size());
            reports.put(
                    seed + " " + RandomLayers.describe(drawn.network()),
                    report(drawn.network(), scheme, new DataSet(drawn.features(), drawn.labels())));
        }
        return reports;
    }

    @ParameterizedTest
    @MethodSource("groups")
    void reportsStayWhatTheyAre(Group group) throws IOException {
        assertEquals(golden(group), group.text());
    }

    /**
     * The report of preparation forecasts what lowering says. Only what depends on the shape of a
     * window in its image is known no earlier than then.
     */
    @ParameterizedTest
    @MethodSource("groups")
    void theReportForecastsWhetherTheNetworkLowers(Group group) throws IOException {
        List<String> wrong = new ArrayList<>();
        for (String report : golden(group).split("==== ", -1)) {
            boolean refused = report.contains("\ndoes not lower: ");
            boolean forecast = report.contains("' does not become integers: ");
            if (refused != forecast && !report.contains(UNKNOWN_BEFORE)) {
                wrong.add(report);
            }
        }
        assertEquals(List.of(), wrong);
    }

    private static String golden(Group group) throws IOException {
        try (InputStream golden =
                Objects.requireNonNull(GoldenReportsTest.class.getResourceAsStream(group.file()))) {
            return new String(golden.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /**
     * Writes the golden files anew; run it only for a change that is meant, and read the
     * difference.
     *
     * @param folder the test resources of this package
     * @throws IOException if a file cannot be written
     */
    public static void main(String... folder) throws IOException {
        for (Group group : groups()) {
            Files.writeString(Path.of(folder[0], group.file()), group.text());
        }
    }

    private static String report(Model network, LayerScheme scheme, DataSet data) {
        QuantSpec spec = QuantSpec.of(scheme);
        StringBuilder text = new StringBuilder();
        try {
            PreparedNetwork<? extends Model> prepared = prepared(network, spec, data);
            prepared.report().toString().lines().forEach(line -> text.append(line).append('\n'));
            text.append(lowered(prepared.network()));
        } catch (IllegalArgumentException refused) {
            text.append("refused: ").append(refused.getMessage()).append('\n');
        }
        return withoutLists(text.append(searched(network, data)).toString());
    }

    /** Every kind that lowers from now on would change each list. */
    private static String withoutLists(String report) {
        return report.replaceAll(
                "(layers|vertices|preprocessors) that lower are .*", "$1 that lower are ...");
    }

    private static DataSetIterator once(DataSet data) {
        return new SingletonDataSetIterator(data.copy());
    }

    private static PreparedNetwork<? extends Model> prepared(
            Model network, QuantSpec spec, DataSet data) {
        return network instanceof ComputationGraph graph
                ? Preparation.prepare(graph, spec, once(data))
                : Preparation.prepare((MultiLayerNetwork) network, spec, once(data));
    }

    private static String lowered(Model network) {
        try {
            IntGraph graph =
                    network instanceof ComputationGraph vertices
                            ? Quantization.lower(vertices)
                            : Quantization.lower((MultiLayerNetwork) network);
            return "lowers to "
                    + graph.outputs()
                    + " "
                    + graph.functions()
                    + "\n"
                    + graph.nodes().stream()
                            .map(node -> line(graph, node))
                            .collect(Collectors.joining());
        } catch (IllegalArgumentException refused) {
            return "does not lower: " + refused.getMessage() + "\n";
        }
    }

    private static String line(IntGraph graph, IntNode node) {
        TensorType type = graph.type(node.name());
        return "  %s = %s%s%s -> %s %s\n"
                .formatted(
                        node.name(),
                        node.getClass().getSimpleName(),
                        node.inputs(),
                        options(node),
                        type.shape(),
                        type.isCodes() ? type.codes().range() : "values");
    }

    /** The components of a node that do not depend on the network's numbers. */
    private static List<String> options(IntNode node) {
        List<String> options = new ArrayList<>();
        for (RecordComponent component : node.getClass().getRecordComponents()) {
            Object value = value(component, node);
            if (value instanceof Output.Codes codes) {
                options.add("bounds=" + codes.bounds());
            } else if (value instanceof Window
                    || value instanceof Shape
                    || value instanceof Integer
                    || value instanceof Boolean) {
                options.add(component.getName() + "=" + value);
            }
        }
        return options;
    }

    private static Object value(RecordComponent component, IntNode node) {
        try {
            return component.getAccessor().invoke(node);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String searched(Model network, DataSet data) {
        if (data.getFeatures().rank() > LARGEST_RANK) {
            // DL4J cannot put volumes into batches, which the search does.
            return "";
        }
        SearchedNetwork searched;
        try {
            searched =
                    network instanceof ComputationGraph graph
                            ? SearchedNetwork.of(graph, once(data))
                            : SearchedNetwork.of((MultiLayerNetwork) network, once(data));
        } catch (IllegalArgumentException refused) {
            return "is not searched: " + refused.getMessage() + "\n";
        }
        return "searched "
                + searched.groups()
                + "\n  weights "
                + searched.layers().stream().map(searched::weights).toList()
                + "\n  multiplications "
                + searched.layers().stream().map(searched::multiplications).toList()
                + "\n";
    }
}
