// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Opens DL4J model files that come from elsewhere.
 *
 * <p>DL4J's {@code ModelSerializer} trusts a file: it loads whatever class its JSON names, reads a
 * serialized Java object if there is one, and gives lengths and strides of arrays to native code
 * unseen. Here a file is checked first, and refused with the reason:
 *
 * <ul>
 *   <li>the sizes of its entries, and that they are what compression can make of the file;
 *   <li>the checksum of each entry that is read;
 *   <li>the classes that its JSON names, wherever it does, before any is loaded: those of DL4J,
 *       ND4J and dl4j-quant, and those that the caller allows;
 *   <li>the sizes of windows, which native code follows;
 *   <li>the headers of parameters and updater state against the bytes that follow, and against the
 *       configuration.
 * </ul>
 *
 * <p>Serialized Java objects ({@code preprocessor.bin}, {@code objects/}) and the normalizer are
 * never read. The networks are those that {@code ModelSerializer} restores.
 *
 * <pre>{@code
 * SafeModels models = SafeModels.standard().allowing(MyLayer.class);
 * MultiLayerNetwork network = models.restoreMultiLayerNetwork(file, true);
 * }</pre>
 */
public final class SafeModels {

    /**
     * The most bytes that a file's entries may have, uncompressed, unless told otherwise: 4 GiB.
     */
    public static final long LARGEST = 1L << 32;

    private static final List<String> OURS =
            List.of("org.deeplearning4j.", "org.nd4j.", "org.dl4jquant.");

    /* Copies of other libraries (Jackson, Guava), which no configuration has to name. */
    private static final String SHADED = "org.nd4j.shade.";

    private final List<String> allowed;
    private final long largest;

    private SafeModels(List<String> allowed, long largest) {
        this.allowed = List.copyOf(allowed);
        this.largest = largest;
    }

    /** {@return a reader that allows the classes of DL4J, ND4J and dl4j-quant, and 4 GiB} */
    public static SafeModels standard() {
        return new SafeModels(List.of(), LARGEST);
    }

    /**
     * {@return this reader, which allows some classes more}
     *
     * @param classes layers, vertices, activation functions or the like that are the caller's own
     */
    public SafeModels allowing(Class<?>... classes) {
        List<String> names = new ArrayList<>(allowed);
        for (Class<?> each : classes) {
            names.add(each.getName());
        }
        return new SafeModels(names, largest);
    }

    /**
     * {@return this reader with another limit}
     *
     * @param bytes the most that a file's entries may have, uncompressed; above 0
     * @throws IllegalArgumentException if it is not above 0
     */
    public SafeModels atMost(long bytes) {
        Require.argument(bytes > 0, "a limit of %d bytes; it must be above 0", bytes);
        return new SafeModels(allowed, bytes);
    }

    /**
     * {@return the network of a model file}
     *
     * @param file a file from ModelSerializer or {@link ExactResume#save}
     * @param loadUpdater whether its updater's state is restored, too
     * @throws IOException if the file cannot be read, is damaged, names a class that is not
     *     allowed, or is no MultiLayerNetwork's; the message says which
     */
    public MultiLayerNetwork restoreMultiLayerNetwork(File file, boolean loadUpdater)
            throws IOException {
        try (ModelZip zip = open(file)) {
            zip.require(
                    !zip.isGraph(), "it is no MultiLayerNetwork's; try restoreComputationGraph");
            MultiLayerConfiguration configuration =
                    zip.understood(
                            "configuration", () -> MultiLayerConfiguration.fromJson(zip.json()));
            long count = zip.understood("configuration", () -> parameters(configuration));
            @Nullable INDArray parameters = zip.parameters(count);
            @Nullable INDArray state = loadUpdater ? zip.updaterState() : null;
            return zip.understood(
                    "network",
                    () -> {
                        if (parameters != null) {
                            configuration.setDataType(parameters.dataType());
                        }
                        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
                        network.init(parameters, false);
                        if (state != null) {
                            network.getUpdater().setStateViewArray(network, state, false);
                        }
                        return network;
                    });
        }
    }

    /**
     * {@return the network of a model file}
     *
     * @param file a file from ModelSerializer or {@link ExactResume#save}
     * @param loadUpdater whether its updater's state is restored, too
     * @throws IOException if the file cannot be read, is damaged, names a class that is not
     *     allowed, or is no ComputationGraph's; the message says which
     */
    public ComputationGraph restoreComputationGraph(File file, boolean loadUpdater)
            throws IOException {
        try (ModelZip zip = open(file)) {
            zip.require(zip.isGraph(), "it is no ComputationGraph's; try restoreMultiLayerNetwork");
            ComputationGraphConfiguration configuration =
                    zip.understood(
                            "configuration",
                            () -> ComputationGraphConfiguration.fromJson(zip.json()));
            long count = zip.understood("configuration", () -> parameters(configuration));
            @Nullable INDArray parameters = zip.parameters(count);
            @Nullable INDArray state = loadUpdater ? zip.updaterState() : null;
            return zip.understood(
                    "network",
                    () -> {
                        if (parameters != null) {
                            configuration.setDataType(parameters.dataType());
                        }
                        ComputationGraph network = new ComputationGraph(configuration);
                        network.init(parameters, false);
                        if (state != null) {
                            network.getUpdater().setStateViewArray(state);
                        }
                        return network;
                    });
        }
    }

    private static long parameters(MultiLayerConfiguration configuration) {
        return configuration.getConfs().stream()
                .mapToLong(conf -> conf.getLayer().initializer().numParams(conf))
                .sum();
    }

    private static long parameters(ComputationGraphConfiguration configuration) {
        return configuration.getVertices().values().stream()
                .mapToLong(vertex -> vertex.numParams(true))
                .sum();
    }

    private ModelZip open(File file) throws IOException {
        Objects.requireNonNull(file, "file");
        Predicate<String> known =
                name ->
                        allowed.contains(name)
                                || (OURS.stream().anyMatch(name::startsWith)
                                        && !name.startsWith(SHADED));
        return ModelZip.open(file, largest, known);
    }
}
