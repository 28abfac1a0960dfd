// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.prepare.PrepareReport;
import org.dl4jquant.prepare.PreparedNetwork;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;

/** The table of layers in docs says what {@code prepare} and {@code lower} really do with each. */
class LayerTableTest {

    private static final Path PAGE = Path.of("..", "docs", "layers.md");
    private static final String HEAD =
            """
            | DL4J layer | weights quantized | activations quantized | becomes integers |
            |---|---|---|---|
            """;
    private static final String JOINED = "joined with '";

    @Test
    void docsShowWhatIsQuantizedAndLoweredInEachLayer() throws IOException {
        String table =
                HEAD
                        + SampleNetworks.all().stream()
                                .map(LayerTableTest::row)
                                .collect(Collectors.joining());

        assertTrue(
                Files.readString(PAGE).contains(table),
                "the table of layers in docs/layers.md is not the right one, which is\n\n" + table);
    }

    private static String row(SampleNetworks.Kind kind) {
        PreparedNetwork<ComputationGraph> prepared =
                Preparation.prepare(
                        kind.network(),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(kind.data()));
        PrepareReport.Entry entry = prepared.report().layer(SampleNetworks.NAME);
        String home = home(entry);
        Optional<QuantizedLayer> layer =
                Optional.ofNullable(prepared.network().getLayer(home))
                        .flatMap(QuantizedLayers::configuration);
        String joined = home.equals(entry.name()) ? "" : "as one layer with the one before: ";
        if (prepared.report().layers().stream().anyMatch(LayerTableTest::isPart)) {
            joined = "of four layers, its projections: ";
        }
        return String.format(
                Locale.ROOT,
                "| %s | %s%s | %s | %s |\n",
                kind.name(),
                joined,
                layer.map(LayerTableTest::weights).orElse("has none"),
                layer.map(conf -> activations(conf.quantizers())).orElse(without(entry)),
                lowered(prepared.network()));
    }

    /* What becomes several layers gives them its name, a slash and a word. */
    private static boolean isPart(PrepareReport.Entry entry) {
        return entry.name().startsWith(SampleNetworks.NAME + "/queries");
    }

    private static String home(PrepareReport.Entry entry) {
        String remark = entry.remark();
        return remark.startsWith(JOINED)
                ? remark.substring(JOINED.length(), remark.length() - 1)
                : entry.name();
    }

    private static String weights(QuantizedLayer layer) {
        List<WeightSlot> slots = layer.weightSlots();
        return slots.isEmpty()
                ? "has none"
                : slots.stream()
                        .map(slot -> "`" + slot.key() + "`")
                        .collect(Collectors.joining(", "));
    }

    private static String activations(LayerQuantizers quantizers) {
        List<String> rounded = new ArrayList<>();
        if (quantizers.input() != null || quantizers.inputFrom() != null) {
            rounded.add("input");
        }
        if (quantizers.scheme(TensorRole.PRE_ACTIVATION) != null) {
            rounded.add("before the function");
        }
        if (quantizers.scheme(TensorRole.HIDDEN) != null) {
            rounded.add(
                    quantizers.scheme(TensorRole.HIDDEN_BACKWARD) == null
                            ? "hidden state"
                            : "hidden state of each direction");
        }
        if (quantizers.scheme(TensorRole.QUERY) != null) {
            rounded.add("queries, keys, values, joined heads");
        }
        if (quantizers.scheme(TensorRole.PROBABILITY) != null) {
            rounded.add("probabilities");
        }
        if (quantizers.scheme(TensorRole.DEPTHWISE) != null) {
            rounded.add("between its two convolutions");
        }
        if (quantizers.scheme(TensorRole.NORMALIZED) != null) {
            rounded.add("before its normalization");
        }
        if (quantizers.result() != null) {
            rounded.add("result");
        }
        return rounded.isEmpty() ? "no" : String.join(", ", rounded);
    }

    private static String without(PrepareReport.Entry entry) {
        return entry.quantized() ? "result" : entry.remark();
    }

    private static String lowered(ComputationGraph network) {
        try {
            Quantization.lower(network);
            return "yes";
        } catch (LoweringException refusal) {
            String message = refusal.getMessage();
            String ofLayer = "layer '" + SampleNetworks.NAME + "' cannot be lowered to integers: ";
            int found = message.indexOf(ofLayer);
            if (found < 0) {
                return "no: a layer before or after it has no integer form";
            }
            int reason = found + ofLayer.length();
            return "no: " + message.substring(reason, message.indexOf("; ", reason));
        }
    }
}
