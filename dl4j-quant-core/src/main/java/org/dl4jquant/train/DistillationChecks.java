// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.nd.RowMajor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/** Whether a teacher and a student go together. */
final class DistillationChecks {

    private static final String ITERATION_COUNT = "iterationCount";
    private static final String UPDATER = "iupdater";
    private static final String NOTES = "trainingNotes";

    /* Parts of a configuration that inference never reads, and that change without notice. */
    private static final List<String> ONLY_FOR_TRAINING =
            List.of(ITERATION_COUNT, "epochCount", UPDATER, "biasUpdater", NOTES, "seed");

    private DistillationChecks() {}

    static void requireFit(
            Model teacher, Model student, boolean softLabels, List<FeatureMatch> matches) {
        Require.argument(
                teacher != student, "the teacher is the student itself; give another network");
        Require.argument(
                softLabels || !matches.isEmpty(),
                "there is nothing to learn from the teacher yet; call withSoftLabels, withValues or"
                        + " withAttention");
        Require.argument(
                backpropType(student) == BackpropType.Standard,
                "the student trains with truncated backpropagation through time, the teacher would"
                        + " see parts of sequences; train it with BackpropType.Standard");
        String output = Teacher.output(student, "student");
        if (softLabels) {
            requireSameClasses(teacher, student);
        }
        for (FeatureMatch match : matches) {
            requireMatchable(student, match.student(), output);
        }
    }

    private static BackpropType backpropType(Model network) {
        return network instanceof ComputationGraph graph
                ? graph.getConfiguration().getBackpropType()
                : ((MultiLayerNetwork) network).getLayerWiseConfigurations().getBackpropType();
    }

    private static void requireSameClasses(Model teacher, Model student) {
        FeedForwardLayer wanted = softmax(teacher, "teacher");
        FeedForwardLayer mine = softmax(student, "student");
        Require.argument(
                wanted.getNOut() == mine.getNOut(),
                "the teacher's output layer '%s' has %d classes, the student's '%s' has %d; soft"
                        + " labels need the same classes",
                wanted.getLayerName(),
                wanted.getNOut(),
                mine.getLayerName(),
                mine.getNOut());
    }

    private static FeedForwardLayer softmax(Model network, String who) {
        Layer layer = outputLayer(network);
        org.deeplearning4j.nn.conf.layers.Layer conf =
                QuantizedLayers.underlyingConfiguration(layer);
        boolean softmax =
                conf instanceof BaseLayer base
                        && conf instanceof FeedForwardLayer
                        && base.getActivationFn() instanceof ActivationSoftmax;
        Require.argument(
                softmax,
                "the %s's output layer '%s' has no softmax; soft labels are probabilities of"
                        + " classes, use withValues to match other networks",
                who,
                conf.getLayerName());
        return (FeedForwardLayer) conf;
    }

    private static void requireMatchable(Model student, String name, String output) {
        List<String> allowed =
                Teacher.names(student).stream()
                        .filter(layer -> isQuantized(Teacher.layer(student, layer)))
                        .filter(layer -> !layer.equals(output))
                        .toList();
        Require.argument(
                allowed.contains(name),
                "the student has no quantized layer '%s' that could match a teacher's; it has %s",
                name,
                allowed);
    }

    private static boolean isQuantized(@Nullable Layer layer) {
        return layer != null && QuantizedLayers.configuration(layer).isPresent();
    }

    static void requireFloat(Model student, Model teacher) {
        for (Model network : List.of(student, teacher)) {
            DataType type = network.params().dataType();
            Require.argument(
                    type == DataType.FLOAT,
                    "a cache of the teacher's answers holds FLOAT, a network here computes in %s;"
                            + " leave the cache out",
                    type);
        }
    }

    /** {@return the network's only output layer} */
    static Layer outputLayer(Model network) {
        return network instanceof ComputationGraph graph
                ? graph.getOutputLayer(0)
                : ((MultiLayerNetwork) network).getOutputLayer();
    }

    static List<Layer> layersOf(Model network) {
        return network instanceof ComputationGraph graph
                ? List.of(graph.getLayers())
                : List.of(((MultiLayerNetwork) network).getLayers());
    }

    /** {@return a digest of what a teacher's answers depend on} */
    static String digest(Model teacher, List<String> layers) {
        MessageDigest digest = Checksum.sha256();
        digest.update(String.join("\n", layers).getBytes(StandardCharsets.UTF_8));
        digest.update(configuration(teacher).getBytes(StandardCharsets.UTF_8));
        float[] parameters = RowMajor.floats(teacher.params());
        ByteBuffer bytes = ByteBuffer.allocate(parameters.length * Float.BYTES);
        bytes.asFloatBuffer().put(parameters);
        return HexFormat.of().formatHex(digest.digest(bytes.array()));
    }

    /* Equal parameters under other functions are another teacher. */
    private static String configuration(Model teacher) {
        String json =
                teacher instanceof ComputationGraph graph
                        ? graph.getConfiguration().toJson()
                        : ((MultiLayerNetwork) teacher).getLayerWiseConfigurations().toJson();
        try {
            JsonNode all = new ObjectMapper().readTree(json);
            all.findParents(ITERATION_COUNT).forEach(DistillationChecks::forget);
            all.findParents(UPDATER).forEach(DistillationChecks::forget);
            all.findParents(NOTES).forEach(DistillationChecks::forget);
            return all.toString();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the teacher's configuration is no JSON", e);
        }
    }

    private static void forget(JsonNode node) {
        ((ObjectNode) node).remove(ONLY_FOR_TRAINING);
    }
}
