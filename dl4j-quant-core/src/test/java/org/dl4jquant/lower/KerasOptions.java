// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Options of layers as Keras writes them. */
final class KerasOptions {

    /** How a compiled model says its loss. */
    static final Map<String, Object> TRAINING =
            Map.of(
                    "loss",
                    "categorical_crossentropy",
                    "optimizer_config",
                    Map.of(
                            "class_name",
                            "SGD",
                            "config",
                            Map.of("lr", 0.01, "momentum", 0.0, "decay", 0.0, "nesterov", false)));

    static final Map<String, Object> GLOROT =
            Map.of("class_name", "GlorotUniform", "config", Map.of());
    static final Map<String, Object> ZEROS = Map.of("class_name", "Zeros", "config", Map.of());

    private KerasOptions() {}

    /**
     * {@return options of a layer}
     *
     * @param namesAndValues names and values in turn
     */
    static Map<String, Object> options(Object... namesAndValues) {
        Map<String, Object> options = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            options.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return options;
    }

    static Map<String, Object> with(Map<String, Object> options, Object... more) {
        options.putAll(options(more));
        return options;
    }

    /**
     * {@return the shape of batches of any size}
     *
     * @param example the shape of one example
     */
    static Object batchShape(Integer... example) {
        List<Integer> shape = new ArrayList<>();
        shape.add(null);
        shape.addAll(List.of(example));
        return shape;
    }

    /**
     * {@return options of a dense layer}
     *
     * @param out how many results
     * @param activation name of its function
     */
    static Map<String, Object> dense(int out, String activation) {
        return options(
                "units", out,
                "activation", activation,
                "use_bias", true,
                "kernel_initializer", GLOROT,
                "bias_initializer", ZEROS);
    }

    static Map<String, Object> recurrent(int units, boolean sequences) {
        return options(
                "units",
                units,
                "activation",
                "tanh",
                "recurrent_activation",
                "sigmoid",
                "use_bias",
                true,
                "unit_forget_bias",
                true,
                "kernel_initializer",
                GLOROT,
                "recurrent_initializer",
                GLOROT,
                "bias_initializer",
                ZEROS,
                "return_sequences",
                sequences,
                "unroll",
                false,
                "dropout",
                0.0,
                "recurrent_dropout",
                0.0,
                "time_major",
                false);
    }

    static Map<String, Object> steps(int size, String padding) {
        return options(
                "kernel_size",
                List.of(size),
                "strides",
                List.of(1),
                "padding",
                padding,
                "dilation_rate",
                List.of(1),
                "data_format",
                "channels_last",
                "use_bias",
                true,
                "kernel_initializer",
                GLOROT,
                "bias_initializer",
                ZEROS);
    }
}
