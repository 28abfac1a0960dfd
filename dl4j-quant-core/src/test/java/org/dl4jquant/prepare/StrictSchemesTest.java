// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.files.Mutations;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ArrayNode;
import org.nd4j.shade.jackson.databind.node.BooleanNode;
import org.nd4j.shade.jackson.databind.node.DoubleNode;
import org.nd4j.shade.jackson.databind.node.IntNode;
import org.nd4j.shade.jackson.databind.node.NullNode;
import org.nd4j.shade.jackson.databind.node.ObjectNode;
import org.nd4j.shade.jackson.databind.node.TextNode;

/** Each scalar of our JSON, in a spec and in a model's configuration, is read as it stands. */
class StrictSchemesTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static QuantSpec spec() {
        TensorScheme weights = TensorScheme.INT8_WEIGHTS;
        TensorScheme activations = TensorScheme.INT8_ACTIVATIONS;
        return QuantSpec.of(LayerScheme.INT8)
                .with(
                        LayerSelector.named("a"),
                        scheme(weights, activations.withEstimator(new Estimator.Pact(0.01))))
                .with(
                        LayerSelector.matching("b.*"),
                        scheme(weights.withEstimator(new Estimator.Ewgs(0.2)), activations))
                .with(
                        LayerSelector.ofType("DenseLayer"),
                        scheme(
                                weights,
                                activations.withCalibration(
                                        new CalibrationMethod.Percentile(99.5))))
                .with(
                        LayerSelector.at(-1),
                        scheme(
                                weights.withCalibration(new CalibrationMethod.Sigma(3)),
                                activations.withCalibration(
                                        new CalibrationMethod.MovingAverage(0.25))));
    }

    private static LayerScheme scheme(TensorScheme weights, TensorScheme activations) {
        return new LayerScheme(weights, activations);
    }

    @Test
    void aSpecIsReadAsItStands() throws JsonProcessingException {
        JsonNode root = JSON.readTree(spec().toJson());
        assertEquals(spec(), QuantSpec.fromJson(root.toString()));
        requireStrict(root, root, QuantSpec::fromJson, 40);
    }

    @Test
    void theQuantizersOfAModelAreReadAsTheyStand() throws JsonProcessingException {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .list()
                                .layer(new DenseLayer.Builder().nOut(4).build())
                                .layer(new OutputLayer.Builder().nOut(3).build())
                                .setInputType(InputType.feedForward(5))
                                .build());
        network.init();
        DataSet data =
                new DataSet(
                        Nd4j.rand(DataType.FLOAT, 8, 5), Nd4j.ones(DataType.FLOAT, 8, 3).muli(0.3));
        MultiLayerConfiguration prepared =
                Preparation.prepare(network, spec(), new SingletonDataSetIterator(data))
                        .network()
                        .getLayerWiseConfigurations();
        JsonNode root = JSON.readTree(prepared.toJson());
        int found = 0;
        for (JsonNode quantizers : root.findValues("quantizers")) {
            found++;
            requireStrict(root, quantizers, MultiLayerConfiguration::fromJson, 10);
        }
        assertEquals(2, found);
    }

    /* A spec has no checksum, because people write it: damage may make another valid one. */
    @Test
    void aDamagedSpecIsRefusedOrAnotherSpec() {
        survives(Mutations.FEW);
    }

    @Test
    @Tag("thorough")
    void aSpecWithMuchDamageIsRefusedOrAnotherSpec() {
        survives(Mutations.MANY);
    }

    private static void survives(int count) {
        int refused =
                Mutations.survive(
                        spec().toJson().getBytes(StandardCharsets.UTF_8),
                        count,
                        bytes -> {
                            String json = new String(bytes, StandardCharsets.UTF_8);
                            QuantSpec read = QuantSpec.fromJson(json);
                            return read.equals(QuantSpec.fromJson(read.toJson())) ? "" : json;
                        });
        assertTrue(refused > count / 3, refused + " are refused");
    }

    /* Every scalar below a node is replaced by what must not be taken for it. */
    private static void requireStrict(
            JsonNode root, JsonNode below, Consumer<String> reader, int least) {
        List<UnaryOperator<JsonNode>> changes =
                List.of(
                        old ->
                                old.isTextual()
                                        ? IntNode.valueOf(0)
                                        : TextNode.valueOf(old.asText()),
                        old -> old.isInt() ? DoubleNode.valueOf(old.intValue() + 0.9) : old,
                        old -> old.isBoolean() ? IntNode.valueOf(old.booleanValue() ? 1 : 0) : old,
                        old -> old.isNumber() ? BooleanNode.TRUE : old);
        int tried = 0;
        for (Place place : places(below)) {
            JsonNode old = place.get();
            if (!place.name().equals("inputFrom")) { // null where the layer rounds its own input
                place.set(NullNode.instance);
                requireRefused(root.toString(), place + " = null", reader);
            }
            for (UnaryOperator<JsonNode> change : changes) {
                JsonNode changed = change.apply(old);
                if (!changed.equals(old)) {
                    place.set(changed);
                    requireRefused(root.toString(), place + " = " + changed, reader);
                    tried++;
                }
            }
            place.set(old);
        }
        assertTrue(tried >= least, tried + " changes");
    }

    private static void requireRefused(String json, String what, Consumer<String> reader) {
        try {
            reader.accept(json);
        } catch (RuntimeException e) {
            return; // DL4J wraps what Jackson throws in several ways
        }
        fail(what + " is read");
    }

    /** A scalar of a tree. */
    private record Place(JsonNode parent, String name, int index) {
        JsonNode get() {
            return parent.isObject() ? parent.get(name) : parent.get(index);
        }

        void set(JsonNode value) {
            if (parent instanceof ObjectNode object) {
                object.set(name, value);
            } else {
                ((ArrayNode) parent).set(index, value);
            }
        }
    }

    private static List<Place> places(JsonNode below) {
        List<Place> places = new ArrayList<>();
        if (below.isObject()) {
            below.fieldNames().forEachRemaining(name -> add(new Place(below, name, 0), places));
        } else {
            for (int i = 0; i < below.size(); i++) {
                add(new Place(below, "", i), places);
            }
        }
        return places;
    }

    private static void add(Place place, List<Place> places) {
        JsonNode value = place.get();
        if (value.isContainerNode()) {
            places.addAll(places(value));
        } else if (!value.isNull()) {
            places.add(place);
        }
    }
}
