// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.example.OwnActivation;
import org.example.Planted;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

class SafeModelsTest {

    /* A constant of the class, which does not load it. */
    private static final String PLANTED = Planted.PROPERTY;
    private static final String RELU = ActivationReLU.class.getName();
    private static final int MUTATIONS = 100;
    private static final int MANY_MUTATIONS = 10_000;

    @TempDir Path folder;
    private File file;

    @BeforeEach
    void writeModel() throws IOException {
        file = folder.resolve("model.zip").toFile();
        ModelSerializer.writeModel(network(), file, true);
    }

    private static MultiLayerNetwork network() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(5)
                                .updater(new Adam(1e-3))
                                .list()
                                .layer(new DenseLayer.Builder().nOut(5).build())
                                .layer(new ActivationLayer(new ActivationReLU()))
                                .layer(
                                        new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                                                .activation(Activation.SOFTMAX)
                                                .nOut(3)
                                                .build())
                                .setInputType(InputType.feedForward(4))
                                .build());
        network.init();
        network.fit(new DataSet(Nd4j.rand(6, 4), Nd4j.eye(6).getColumns(0, 1, 2)));
        return network;
    }

    // ---- right files ---------------------------------------------------------------------------

    @Test
    void restoresWhatModelSerializerRestores() throws IOException {
        assertEquals(
                description(ModelSerializer.restoreMultiLayerNetwork(file, true)),
                description(SafeModels.standard().restoreMultiLayerNetwork(file, true)));
    }

    @Test
    void leavesTheUpdaterWhereItIsNotWanted() throws IOException {
        INDArray state =
                SafeModels.standard()
                        .restoreMultiLayerNetwork(file, false)
                        .getUpdater()
                        .getStateViewArray();
        assertEquals(0, state.ameanNumber().doubleValue());
    }

    @Test
    void restoresANetworkOfDoubles() throws IOException {
        MultiLayerNetwork doubles = network().convertDataType(DataType.DOUBLE);
        ModelSerializer.writeModel(doubles, file, true);
        assertEquals(
                doubles.params(),
                SafeModels.standard().restoreMultiLayerNetwork(file, true).params());
    }

    @Test
    void saysWhichKindOfNetworkItIs() throws IOException {
        refuses("try restoreMultiLayerNetwork", this::restoreGraph);
        ComputationGraph graph = network().toComputationGraph();
        ModelSerializer.writeModel(graph, file, true);
        assertEquals(graph.params(), restoreGraph().params());
        refuses("no MultiLayerNetwork's; try restoreComputationGraph", this::restore);
    }

    // ---- classes -------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"@class\" : \"NAME\"",
                "\"\\u0040class\" : \"NAME\"",
                "\"@class\" : \"" + "org.nd4j.linalg.activations.impl.ActivationReLU<NAME>\"",
                "\"@class\" : \"[LNAME;\"",
                "\"@class\" : \"NAME\", \"@class\" :"
                        + " \"org.nd4j.linalg.activations.impl.ActivationReLU\"",
            })
    void namesAForeignClassWithoutLoadingIt(String text) throws IOException {
        System.clearProperty(PLANTED);
        replaceInJson("\"@class\" : \"" + RELU + "\"", text.replace("NAME", "org.example.Planted"));
        refuses("names classes that are neither DL4J's nor dl4j-quant's", this::restore);
        refuses("org.example.Planted", this::restore);
        assertNull(System.getProperty(PLANTED), "the class was loaded");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[\"NAME\", {}]",
                "[\"NAME\"]",
                "[\"org.nd4j.linalg.activations.impl.ActivationReLU<NAME>\", {}]",
                "[\"[LNAME;\", []]",
                "{\"NAME\" : {}}",
                "{\"@class\" : [\"NAME\"]}",
                "\"NAME\"",
            })
    void namesAForeignClassInEveryOtherFormWithoutLoadingIt(String value) throws IOException {
        System.clearProperty(PLANTED);
        replaceInJson(
                "\"activationFn\" : {", "\"activationFn\" : " + foreign(value) + ", \"own\" : {");
        refuses("dl4j-quant's, [org.example.Planted]; if you know and trust", this::restore);
        assertNull(System.getProperty(PLANTED), "the class was loaded");
    }

    @Test
    void refusesTheCopiesOfOtherLibrariesInNd4j() throws IOException {
        replaceInJson(RELU, "org.nd4j.shade.jackson.databind.ObjectMapper");
        refuses("[org.nd4j.shade.jackson.databind.ObjectMapper]", this::restore);
    }

    private static String foreign(String form) {
        return form.replace("NAME", "org.example.Planted");
    }

    @Test
    void allowsAClassInTheFormOfAnArray() throws IOException {
        replaceInJson(
                "\"activationFn\" : {",
                "\"activationFn\" : [\"" + OwnActivation.class.getName() + "\", {}], \"own\" : {");
        refuses("[org.example.OwnActivation]; if you know and trust them, allow", this::restore);
        assertNotNull(
                SafeModels.standard()
                        .allowing(OwnActivation.class)
                        .restoreMultiLayerNetwork(file, true));
    }

    @Test
    void boundsTheTextsThatAreLookedFor() throws IOException {
        for (String separator : new String[] {"\", \"", "<"}) {
            writeModel();
            StringBuilder many = new StringBuilder("\"0");
            for (int i = 1; i <= 20_000; i++) {
                many.append(separator).append(i);
            }
            replaceInJson(
                    "\"activationFn\" : {", "\"own\" : [" + many + "\"], \"activationFn\" : {");
            refuses("more than 20000 texts", this::restore);
        }
    }

    @Test
    void readsAClassThatTheCallerAllows() throws IOException {
        replaceInJson(RELU, OwnActivation.class.getName());
        refuses("[org.example.OwnActivation]; if you know and trust them, allow", this::restore);
        MultiLayerNetwork network =
                SafeModels.standard()
                        .allowing(OwnActivation.class)
                        .restoreMultiLayerNetwork(file, true);
        ActivationLayer layer =
                (ActivationLayer) network.getLayerWiseConfigurations().getConf(1).getLayer();
        assertEquals(OwnActivation.class, layer.getActivationFn().getClass());
    }

    @Test
    void neverReadsASerializedObject() throws IOException {
        System.clearProperty(PLANTED);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(new Planted());
        }
        Map<String, byte[]> entries = entries();
        entries.put(ModelSerializer.PREPROCESSOR_BIN, bytes.toByteArray());
        entries.put("objects/own", bytes.toByteArray());
        write(entries);
        System.clearProperty(PLANTED);
        assertEquals(network().numParams(), restore().numParams());
        assertNull(System.getProperty(PLANTED), "the object was read");
        assertThrows(
                RuntimeException.class, () -> ModelSerializer.restoreMultiLayerNetwork(file, true));
        assertEquals("read", System.getProperty(PLANTED), "ModelSerializer reads it");
        System.clearProperty(PLANTED);
    }

    // ---- sizes ---------------------------------------------------------------------------------

    @Test
    void refusesMoreBytesThanAllowed() throws IOException {
        long total = entries().values().stream().mapToLong(entry -> entry.length).sum();
        assertNotNull(SafeModels.standard().atMost(total).restoreMultiLayerNetwork(file, true));
        IOException refused =
                assertThrows(
                        IOException.class,
                        () ->
                                SafeModels.standard()
                                        .atMost(total - 1)
                                        .restoreMultiLayerNetwork(file, true));
        assertTrue(refused.getMessage().contains("allow more with atMost"), refused.getMessage());
        assertThrows(IllegalArgumentException.class, () -> SafeModels.standard().atMost(0));
    }

    @Test
    void refusesSizesThatCompressionCannotReach() throws IOException {
        byte[] bytes = Files.readAllBytes(file.toPath());
        // The size in the central directory: 24 bytes after its signature.
        int central = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("PK\1\2");
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(central + 24, 1 << 30);
        Files.write(file.toPath(), bytes);
        refuses("more than compression can do", this::restore);
    }

    @Test
    void refusesAnEntryThatIsNotDl4js() throws IOException {
        Map<String, byte[]> entries = entries();
        entries.put("updaterStatf.bin", new byte[3]);
        write(entries);
        refuses("an entry 'updaterStatf.bin', which no DL4J model file has", this::restore);
    }

    @Test
    void refusesWhatIsNoModelFile() throws IOException {
        Files.writeString(file.toPath(), "not a zip");
        refuses("it is no zip file", this::restore);
        write(Map.of(ModelSerializer.COEFFICIENTS_BIN, new byte[1]));
        refuses("has no configuration.json", this::restore);
        write(Map.of(ModelSerializer.CONFIGURATION_JSON, "{".getBytes(UTF_8)));
        refuses("configuration", this::restore);
        write(Map.of(ModelSerializer.CONFIGURATION_JSON, "[".repeat(100_000).getBytes(UTF_8)));
        refuses("nested deeper than 200", this::restore);
        write(Map.of(ModelSerializer.CONFIGURATION_JSON, new byte[] {(byte) 0xff}));
        refuses("no UTF-8", this::restore);
        Files.delete(file.toPath());
        assertThrows(IOException.class, this::restore);
    }

    @Test
    void refusesRawArraysInTheConfiguration() throws IOException {
        replaceInJson(
                "\"@class\" : \"" + RELU + "\"",
                "\"@class\" : \"" + RELU + "\", \"dataBuffer\" : [1]");
        refuses("raw array", this::restore);
    }

    @ParameterizedTest
    @CsvSource({
        "dilation, -1",
        "dilation, 2147483647",
        "stride, 0",
        "stride, 99999999999999999999",
        "kernelSize, 0",
        "padding, -1"
    })
    void refusesWindowsThatNativeCodeCannotFollow(String key, String size) throws IOException {
        MultiLayerNetwork pool =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .list()
                                .layer(
                                        new SubsamplingLayer.Builder(
                                                        SubsamplingLayer.PoolingType.AVG)
                                                .kernelSize(3, 2)
                                                .stride(3, 2)
                                                .padding(3, 2)
                                                .dilation(3, 2)
                                                .build())
                                .layer(new OutputLayer.Builder().nOut(3).build())
                                .setInputType(InputType.convolutional(8, 8, 1))
                                .build());
        pool.init();
        ModelSerializer.writeModel(pool, file, true);
        assertEquals(pool.params(), restore().params());
        replaceInJson("\"" + key + "\" : [ 3, 2 ]", "\"" + key + "\" : [ 3, " + size + " ]");
        refuses("its configuration has a '" + key + "' of " + size + "; ", this::restore);
    }

    @Test
    void refusesNumbersThatTakeForeverToRead() throws IOException {
        replaceInJson("\"nout\" : 5", "\"nout\" : 5" + "0".repeat(1_000_000));
        refuses("a number of more than 400 digits", this::restore);
    }

    @Test
    void saysThatAPartOfTheNetworkIsMissing() throws IOException {
        replaceInJson("\"layer\" : {", "\"layer\" : null, \"own\" : {");
        refuses("is not understood: a part of it is missing, or impossible", this::restore);
    }

    // ---- arrays --------------------------------------------------------------------------------

    @Test
    void refusesAnArrayWhoseHeaderDoesNotFit() throws IOException {
        int n = (int) network().numParams();
        arrayIs(header(new long[] {2, 1, n, n, 1, 8192, 1, 'c'}, n, "FLOAT"), n);
        assertNotNull(restore());
        arrayIs(header(new long[] {2, 1, n, n, 1, 8192, 1, 'c'}, n + 1, "FLOAT"), n);
        refuses("its header says " + (n + 1) + " numbers of FLOAT", this::restore);
        arrayIs(header(new long[] {2, 1, n, n, 1, 8192, 1, 'c'}, Long.MAX_VALUE / 2, "FLOAT"), n);
        refuses("its header says", this::restore);
        arrayIs(header(new long[] {2, 1, n, n, 1, 8192, 1, 'c'}, -n, "FLOAT"), n);
        refuses("it has -" + n + " numbers", this::restore);
        arrayIs(header(new long[] {2, 1, n + 1, n, 1, 8192, 1, 'c'}, n, "FLOAT"), n);
        refuses("its shape says " + (n + 1) + " numbers, its data have " + n, this::restore);
        arrayIs(header(new long[] {2, 1, n, n, 1 << 20, 8192, 1, 'c'}, n, "FLOAT"), n);
        refuses("its elements are 1048576 apart", this::restore);
        arrayIs(header(new long[] {2, 1, n, n, 1, 16384, 1, 'c'}, n, "FLOAT"), n);
        refuses("its shape says DOUBLE, its data are FLOAT", this::restore);
        arrayIs(header(new long[] {2, 1, n, n, 1, 8192 + 8, 1, 'c'}, n, "FLOAT"), n);
        refuses("options are 8200", this::restore);
        arrayIs(header(new long[] {9, 1, n, n, 1, 8192, 1, 'c'}, n, "FLOAT"), n);
        refuses("8 numbers for rank 9", this::restore);
        arrayIs(header(new long[] {2, 1, n, n, 1, 8192, 1, 'c'}, n, "UTF8"), n);
        refuses("of type 'UTF8', not floats", this::restore);
        arrayIs(header(new long[] {2, 1, n - 1, n, 1, 8192, 1, 'c'}, n - 1, "FLOAT"), n - 1);
        refuses("its network is not understood", this::restore);
    }

    private void arrayIs(byte[] header, int n) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(header);
        bytes.write(new byte[n * Float.BYTES]);
        Map<String, byte[]> entries = entries();
        entries.put(ModelSerializer.COEFFICIENTS_BIN, bytes.toByteArray());
        write(entries);
    }

    private static byte[] header(long[] shape, long length, String type) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeUTF("MIXED_DATA_TYPES");
        out.writeLong(shape.length);
        out.writeUTF("LONG");
        for (long number : shape) {
            out.writeLong(number);
        }
        out.writeUTF("MIXED_DATA_TYPES");
        out.writeLong(length);
        out.writeUTF(type);
        return bytes.toByteArray();
    }

    @Test
    void restoresNetworksWithoutParameters() throws IOException {
        MultiLayerNetwork none =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .list()
                                .layer(new ActivationLayer(new ActivationReLU()))
                                .layer(
                                        new LossLayer.Builder(LossFunctions.LossFunction.MSE)
                                                .activation(Activation.IDENTITY)
                                                .build())
                                .build());
        none.init();
        ModelSerializer.writeModel(none, file, true);
        INDArray input = Nd4j.createFromArray(new float[][] {{-1, 2}});
        assertEquals(none.output(input), restore().output(input));
        ComputationGraph graph = none.toComputationGraph();
        ModelSerializer.writeModel(graph, file, true);
        assertEquals(none.output(input), restoreGraph().outputSingle(input));
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "100000000"})
    void refusesToInventParametersThatAreMissing(String units) throws IOException {
        Map<String, byte[]> entries = entries();
        entries.remove(ModelSerializer.COEFFICIENTS_BIN);
        entries.remove(ModelSerializer.UPDATER_BIN);
        entries.put(ModelSerializer.NO_PARAMS_MARKER, new byte[0]);
        write(entries);
        replaceInJson("\"nout\" : 5", "\"nout\" : " + units);
        replaceInJson("\"nin\" : 5", "\"nin\" : " + units);
        long parameters = Long.parseLong(units) * (4 + 1 + 3) + 3;
        refuses("its network has " + parameters + " parameters", this::restore);
    }

    // ---- damage --------------------------------------------------------------------------------

    @Test
    void aDamagedFileIsRefusedOrTheSame() throws IOException {
        mutateFile(MUTATIONS);
        mutateArrays(MUTATIONS);
    }

    @Test
    void namesTheFileAndTheEntryThatCannotBeUnpacked() throws IOException {
        byte[] whole = Files.readAllBytes(file.toPath());
        byte[] damaged = whole.clone();
        // The first entry's packed bytes begin after its name.
        Arrays.fill(damaged, 70, 90, (byte) 0xff);
        Files.write(file.toPath(), damaged);
        refuses("configuration.json: ", this::restore);
        // Where the first entry begins: 42 bytes after the central directory's signature.
        int central = new String(whole, StandardCharsets.ISO_8859_1).indexOf("PK\1\2");
        ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).putInt(central + 42, 1 << 30);
        Files.write(file.toPath(), whole);
        refuses("configuration.json ends early: copy the file again", this::restore);
    }

    @Test
    @Tag("thorough")
    void manyDamagedFilesAreRefusedOrTheSame() throws IOException {
        mutateFile(MANY_MUTATIONS);
        mutateArrays(MANY_MUTATIONS);
    }

    private void mutateFile(int mutations) throws IOException {
        byte[] whole = Files.readAllBytes(file.toPath());
        String expected = description(restore());
        Random random = new Random(7);
        int refused = 0;
        for (int i = 0; i < mutations; i++) {
            byte[] bytes = whole.clone();
            for (int left = 1 + random.nextInt(2); left > 0; left--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            if (random.nextInt(5) == 0) {
                bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            }
            Files.write(file.toPath(), bytes);
            try {
                assertEquals(expected, description(restore()), "mutation " + i);
            } catch (IOException e) {
                refused++;
            }
        }
        assertTrue(refused > mutations / 2, refused + " of " + mutations + " were refused");
    }

    /* A stranger's file has right checksums: headers are refused, or what they say is the same. */
    private void mutateArrays(int mutations) throws IOException {
        writeModel();
        Map<String, byte[]> whole = entries();
        MultiLayerNetwork network = restore();
        String expected = description(network);
        Random random = new Random(8);
        for (int i = 0; i < mutations; i++) {
            Map<String, byte[]> entries = new LinkedHashMap<>(whole);
            String name =
                    random.nextBoolean()
                            ? ModelSerializer.COEFFICIENTS_BIN
                            : ModelSerializer.UPDATER_BIN;
            byte[] bytes = entries.get(name).clone();
            long numbers =
                    name.equals(ModelSerializer.COEFFICIENTS_BIN)
                            ? network.numParams()
                            : network.getUpdater().getStateViewArray().length();
            int header = (int) (bytes.length - numbers * Float.BYTES);
            bytes[random.nextInt(header)] = (byte) random.nextInt(256);
            entries.put(name, bytes);
            write(entries);
            try {
                assertEquals(expected, description(restore()), "mutation " + i);
            } catch (IOException e) {
                assertFalse(e.getMessage().isEmpty());
            }
        }
    }

    // ---- tools ---------------------------------------------------------------------------------

    private MultiLayerNetwork restore() throws IOException {
        return SafeModels.standard().restoreMultiLayerNetwork(file, true);
    }

    private ComputationGraph restoreGraph() throws IOException {
        return SafeModels.standard().restoreComputationGraph(file, true);
    }

    private static String description(MultiLayerNetwork network) {
        return network.getLayerWiseConfigurations().toJson()
                + Arrays.toString(network.params().toFloatVector())
                + Arrays.toString(network.getUpdater().getStateViewArray().toFloatVector());
    }

    private void refuses(String reason, Restoring restoring) {
        IOException refused = assertThrows(IOException.class, restoring::run);
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
        assertTrue(refused.getMessage().contains("model.zip"), refused.getMessage());
    }

    private interface Restoring {
        Object run() throws IOException;
    }

    private void replaceInJson(String from, String to) throws IOException {
        Map<String, byte[]> entries = entries();
        String json = new String(entries.get(ModelSerializer.CONFIGURATION_JSON), UTF_8);
        assertTrue(json.contains(from), json);
        entries.put(ModelSerializer.CONFIGURATION_JSON, json.replace(from, to).getBytes(UTF_8));
        write(entries);
    }

    private Map<String, byte[]> entries() throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (ZipFile zip = new ZipFile(file)) {
            for (ZipEntry entry : zip.stream().toList()) {
                entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
            }
        }
        return entries;
    }

    private void write(Map<String, byte[]> entries) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file.toPath()))) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
            }
        }
    }
}
