// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.hybrid;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.files.WholeFile;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.lower.HybridGraph;
import org.dl4jquant.lower.Lowering;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.HybridSession;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A prepared network of which some steps stay in float: an ONNX model of integer parts and float
 * islands, which plain ONNX Runtime runs.
 *
 * <p>Use it where a layer was left in float or in half precision on purpose, or has no integer
 * form. Between islands the integers are exact, as in any graph; an island computes what DL4J
 * computes up to rounding, so that the result is <em>outside of the promise</em> of equal bits.
 * {@link #report} names the islands, {@link #compare} measures them.
 *
 * <pre>{@code
 * QuantSpec spec = QuantSpec.of(LayerScheme.INT8).with(LayerSelector.named("a"), LayerScheme.FLOAT);
 * HybridModel model = HybridModel.of(Quantization.prepare(trained, spec, data), someFeatures);
 * model.write(Path.of("model.onnx"));
 * }</pre>
 */
public final class HybridModel {

    private final NetworkView<?> network;
    private final HybridGraph parts;

    private HybridModel(NetworkView<?> network, HybridGraph parts) {
        this.network = network;
        this.parts = parts;
    }

    /**
     * Returns the hybrid model of a network.
     *
     * @param network a network that {@code prepare} made; not changed
     * @param features one batch, which tells the shapes
     * @return the model
     * @throws org.dl4jquant.lower.LoweringException if steps have neither an integer form nor float
     *     operators, all of which the message names
     */
    public static HybridModel of(MultiLayerNetwork network, INDArray features) {
        return of(NetworkView.of(Require.given(network, "network")), features);
    }

    /**
     * Returns the hybrid model of a network.
     *
     * @param network a network that {@code prepare} made; not changed
     * @param features one batch for each input, which tell the shapes
     * @return the model
     * @throws org.dl4jquant.lower.LoweringException as for the other kind of network
     */
    public static HybridModel of(ComputationGraph network, INDArray... features) {
        return of(NetworkView.of(Require.given(network, "network")), features);
    }

    private static HybridModel of(NetworkView<?> network, INDArray... features) {
        for (INDArray batch : Require.given(features, "features")) {
            Require.given(batch, "features");
        }
        List<String> inputs = network.topology().inputs();
        Require.argument(
                features.length == inputs.size(),
                "%d batches for the inputs %s; give one for each",
                features.length,
                inputs);
        Map<String, Shape> shapes = new LinkedHashMap<>();
        Detached.compute(() -> network.feedForward(copies(features)))
                .forEach((step, result) -> shapes.put(step, shape(result)));
        for (int i = 0; i < features.length; i++) {
            shapes.put(inputs.get(i), shape(features[i]));
        }
        return new HybridModel(network, Lowering.hybrid(network, shapes));
    }

    private static INDArray[] copies(INDArray[] features) {
        return Arrays.stream(features).map(INDArray::dup).toArray(INDArray[]::new);
    }

    private static Shape shape(INDArray batch) {
        return Shape.of(Arrays.stream(batch.shape()).skip(1).mapToInt(Math::toIntExact).toArray());
    }

    /** {@return the integer parts; results of islands are inputs of it} */
    public IntGraph graph() {
        return parts.graph();
    }

    /** {@return the steps in float, in order} */
    public List<FloatIsland> islands() {
        return parts.islands();
    }

    /** {@return a text that names every step in float, with the reason} */
    public String report() {
        StringBuilder text = new StringBuilder();
        text.append(
                String.format(
                        "%d nodes in integers, %d steps in float, outside of the promise of equal"
                                + " bits",
                        graph().nodes().size(), islands().size()));
        for (FloatIsland island : islands()) {
            text.append(System.lineSeparator())
                    .append(
                            String.format(
                                    "'%s' (%s) is in %s: %s",
                                    island.name(),
                                    island.type(),
                                    island.half() ? "half precision" : "float",
                                    island.reason()));
        }
        return text.toString();
    }

    /** {@return the bytes of the ONNX model} */
    public byte[] toBytes() {
        return HybridSession.toBytes(graph(), islands(), parts.outputs());
    }

    /**
     * Writes the ONNX model.
     *
     * @param file the file, replaced if it exists
     * @throws UncheckedIOException if it cannot be written
     */
    public void write(Path file) {
        try {
            WholeFile.write(Require.given(file, "file"), toBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the ONNX model cannot be written to '" + file + "': " + e.getMessage(), e);
        }
    }

    /**
     * Runs the model on ONNX Runtime.
     *
     * @param features one batch for each of the network's inputs
     * @return one batch for each of its outputs, after their last functions
     */
    public List<Batch.Floats> run(INDArray... features) {
        try (HybridSession session = HybridSession.open(graph(), islands(), parts.outputs())) {
            Map<String, Batch.Floats> results = session.run(inputs(features));
            return parts.outputs().stream().map(results::get).toList();
        }
    }

    private Map<String, Batch.Floats> inputs(INDArray... features) {
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        Set<String> made = new LinkedHashSet<>();
        islands().forEach(island -> made.add(island.output()));
        List<String> names = new ArrayList<>();
        graph().inputs().forEach(input -> names.add(input.name()));
        names.removeAll(made);
        Require.argument(
                Require.given(features, "features").length == names.size(),
                "%d batches for the inputs %s; give one for each",
                features.length,
                names);
        for (int i = 0; i < features.length; i++) {
            INDArray batch = Require.given(features[i], "features");
            Shape shape = graph().type(names.get(i)).shape();
            Require.argument(
                    batch.rank() == shape.rank() + 1
                            && batch.size(0) > 0
                            && shape(batch).equals(shape),
                    "features of shape %s do not fit input '%s', which takes arrays of shape"
                            + " [examples, %s]",
                    Arrays.toString(batch.shape()),
                    names.get(i),
                    shape);
            inputs.put(
                    names.get(i),
                    Batch.Floats.of(
                            Math.toIntExact(features[i].size(0)),
                            graph().type(names.get(i)).shape(),
                            RowMajor.floats(features[i])));
        }
        return inputs;
    }

    /**
     * Compares each part with what defines it: an island with DL4J's own result for what the island
     * read, and the integer parts with the reference engine for what islands made.
     *
     * @param features one batch for each of the network's inputs
     * @return the differences
     */
    public HybridComparison compare(INDArray... features) {
        List<String> all = new ArrayList<>(graph().outputs());
        islands().stream()
                .map(FloatIsland::output)
                .filter(output -> !all.contains(output))
                .forEach(all::add);
        Map<String, Batch.Floats> found = new LinkedHashMap<>(inputs(features));
        try (HybridSession session = HybridSession.open(graph(), islands(), all)) {
            found.putAll(session.scores(found));
        }
        long differing = differingIntegers(found);
        return HybridComparison.of(network, islands(), found, differing);
    }

    private long differingIntegers(Map<String, Batch.Floats> found) {
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        graph().inputs()
                .forEach(
                        input ->
                                inputs.put(
                                        input.name(), HybridComparison.value(found, input.name())));
        long differing = 0;
        try (Engine reference = Engine.open("reference", graph().scores())) {
            for (Map.Entry<String, Batch> result : reference.run(inputs).entrySet()) {
                float[] expected = ((Batch.Floats) result.getValue()).values();
                float[] values = HybridComparison.value(found, result.getKey()).values();
                for (int i = 0; i < expected.length; i++) {
                    int one = Float.floatToRawIntBits(expected[i]);
                    differing += one == Float.floatToRawIntBits(values[i]) ? 0 : 1;
                }
            }
        }
        return differing;
    }
}
