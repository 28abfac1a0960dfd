// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.bytedeco.hdf5.Attribute;
import org.bytedeco.hdf5.DataSet;
import org.bytedeco.hdf5.DataSpace;
import org.bytedeco.hdf5.DataType;
import org.bytedeco.hdf5.Group;
import org.bytedeco.hdf5.H5File;
import org.bytedeco.hdf5.H5Object;
import org.bytedeco.hdf5.IdComponent;
import org.bytedeco.hdf5.PredType;
import org.bytedeco.hdf5.StrType;
import org.bytedeco.hdf5.global.hdf5;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.deeplearning4j.nn.modelimport.keras.Hdf5Archive;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/**
 * A model file as {@code model.save("model.h5")} of Keras 2 writes it: the configuration as JSON in
 * an attribute, and a group of data sets for the weights of each layer.
 */
final class KerasFile {

    private static final String INBOUND = "inbound_nodes";

    private final List<Layer> layers = new ArrayList<>();

    /**
     * A layer of Keras.
     *
     * @param type its class
     * @param config its options; the name is added
     * @param weights by the names that Keras gives them, such as kernel, in Keras' layout
     * @param inputs names of layers that it reads, if the model is not sequential
     */
    private record Layer(
            String type,
            Map<String, Object> config,
            Map<String, INDArray> weights,
            List<String> inputs) {

        String name() {
            return (String) config.get("name");
        }

        Map<String, Object> json() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("class_name", type);
            json.put("config", config);
            json.put("name", name());
            json.put(
                    INBOUND,
                    inputs.isEmpty()
                            ? List.of()
                            : List.of(
                                    inputs.stream()
                                            .map(input -> List.of(input, 0, 0, Map.of()))
                                            .toList()));
            return json;
        }
    }

    /**
     * Adds a layer.
     *
     * @param type its class in Keras
     * @param name its name, without a slash
     * @param config its options
     * @param weights by name, in Keras' layout
     * @param inputs names of the layers that it reads; none in a sequential model
     * @return this
     */
    KerasFile layer(
            String type,
            String name,
            Map<String, ?> config,
            Map<String, INDArray> weights,
            String... inputs) {
        Map<String, Object> named = new LinkedHashMap<>(config);
        named.put("name", name);
        named.putIfAbsent("trainable", true);
        named.putIfAbsent("dtype", "float32");
        layers.add(new Layer(type, named, weights, List.of(inputs)));
        return this;
    }

    /**
     * Writes a sequential model.
     *
     * @param file to create
     * @param training options of its training, such as its loss; none if empty
     */
    void writeSequential(Path file, Map<String, Object> training) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("name", "sequential");
        config.put("layers", layers.stream().map(Layer::json).toList());
        write(file, Map.of("class_name", "Sequential", "config", config), training);
    }

    /**
     * Writes a model of layers that read each other by name.
     *
     * @param file to create
     * @param output name of the layer whose result is the model's
     * @param training options of its training, such as its loss; none if empty
     */
    void writeFunctional(Path file, String output, Map<String, Object> training) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("name", "model");
        config.put("layers", layers.stream().map(Layer::json).toList());
        config.put("input_layers", List.of(List.of(layers.get(0).name(), 0, 0)));
        config.put("output_layers", List.of(List.of(output, 0, 0)));
        write(file, Map.of("class_name", "Functional", "config", config), training);
    }

    private void write(Path file, Map<String, Object> model, Map<String, Object> training) {
        Loader.load(hdf5.class);
        withHdf5(
                () -> {
                    H5File archive = new H5File(file.toString(), hdf5.H5F_ACC_TRUNC());
                    put(archive, "keras_version", "2.4.0");
                    put(archive, "backend", "tensorflow");
                    put(archive, "model_config", json(model));
                    if (!training.isEmpty()) {
                        put(archive, "training_config", json(training));
                    }
                    Group root = archive.createGroup("model_weights");
                    put(root, "layer_names", layers.stream().map(Layer::name).toList());
                    layers.forEach(layer -> put(root, layer));
                    root.close();
                    archive.close();
                    return file;
                });
    }

    /**
     * Calls HDF5, and deletes all of its objects in the end. The garbage collector would do it
     * later, in a thread of its own, and HDF5 is not safe with threads.
     *
     * @param call the code that uses it
     * @return its result
     */
    @SuppressWarnings({"unchecked", "try"}) // an array of classes; the scope is known to JavaCPP
    static <T> T withHdf5(Callable<T> call) {
        synchronized (Hdf5Archive.LOCK_OBJECT) {
            try (PointerScope scope = new PointerScope(IdComponent.class)) {
                return call.call();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static String json(Map<String, Object> value) {
        try {
            return new ObjectMapper().writeValueAsString(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /* The data set of a weight lies in a group of the layer's name inside the layer's group; those of
     * a wrapper one group deeper, because their names have a slash. */
    private static void put(Group root, Layer layer) {
        Group group = root.createGroup(layer.name());
        put(
                group,
                "weight_names",
                layer.weights().keySet().stream()
                        .map(weight -> layer.name() + "/" + weight + ":0")
                        .toList());
        if (!layer.weights().isEmpty()) {
            Group inner = group.createGroup(layer.name());
            layer.weights().forEach((name, values) -> put(inner, name, values));
            inner.close();
        }
        group.close();
    }

    private static void put(Group group, String name, INDArray values) {
        int slash = name.indexOf('/');
        if (slash >= 0) {
            String folder = name.substring(0, slash);
            Group inner =
                    group.nameExists(folder) ? group.openGroup(folder) : group.createGroup(folder);
            put(inner, name.substring(slash + 1), values);
            inner.close();
            return;
        }
        DataType floats = new DataType(PredType.NATIVE_FLOAT());
        DataSpace space = new DataSpace(values.rank(), values.shape());
        DataSet data = group.createDataSet(name + ":0", floats, space);
        data.write(new FloatPointer(values.dup('c').data().asFloat()), floats);
        data.close();
        space.close();
    }

    private static void put(H5Object owner, String name, String value) {
        StrType type = new StrType(PredType.C_S1(), hdf5.H5T_VARIABLE());
        Attribute attribute = owner.createAttribute(name, type, new DataSpace());
        attribute.write(type, value);
        attribute.close();
    }

    private static void put(H5Object owner, String name, List<String> values) {
        int width = 1 + values.stream().mapToInt(String::length).max().orElse(0);
        byte[] bytes = new byte[Math.max(1, values.size()) * width];
        for (int i = 0; i < values.size(); i++) {
            byte[] value = values.get(i).getBytes(StandardCharsets.UTF_8);
            System.arraycopy(value, 0, bytes, i * width, value.length);
        }
        StrType type = new StrType(PredType.C_S1(), width);
        DataSpace space = new DataSpace(1, new long[] {Math.max(1, values.size())});
        Attribute attribute = owner.createAttribute(name, type, space);
        attribute.write(type, (Pointer) new BytePointer(bytes));
        attribute.close();
    }
}
