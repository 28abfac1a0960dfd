// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.NetworkView;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A network of either kind that answers, and never trains. */
final class Teacher implements AnswerSource {

    private final Model network;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(Teacher::daemon);
    private final List<String> layers;

    /**
     * Asks a network for the results of some of its layers.
     *
     * @param network a MultiLayerNetwork or ComputationGraph
     * @param layers the layers' names
     * @throws IllegalArgumentException if it has no such layer
     */
    Teacher(Model network, List<String> layers) {
        this.network = network;
        this.layers = List.copyOf(layers);
        Set<String> names = names(network);
        for (String layer : layers) {
            Require.argument(
                    names.contains(layer),
                    "the teacher has no layer '%s'; it has %s",
                    layer,
                    names);
        }
    }

    /** {@return the names of a network's layers, and of a graph's other vertices} */
    static Set<String> names(Model network) {
        Set<String> names = new LinkedHashSet<>();
        NetworkView.ofModel(network).topology().steps().forEach(step -> names.add(step.name()));
        return names;
    }

    /** {@return the name of the only output layer} */
    static String output(Model network, String who) {
        List<String> outputs = NetworkView.ofModel(network).topology().outputs();
        Require.argument(
                outputs.size() == 1,
                "the %s has the outputs %s; distillation needs a network with one output",
                who,
                outputs);
        return outputs.get(0);
    }

    /** {@return the layer of that name; null if it is none} */
    static @Nullable Layer layer(Model network, String name) {
        return NetworkView.ofModel(network).layer(name);
    }

    /* DL4J refuses to compute one network while another one's workspaces are open in the thread. */
    private static Thread daemon(Runnable answers) {
        Thread daemon = new Thread(answers, "teacher");
        daemon.setDaemon(true);
        return daemon;
    }

    @Override
    public void close() {
        thread.shutdown();
    }

    /**
     * {@return the results of the layers in inference, in their order, in no workspace}
     *
     * @param inputs the network's inputs
     * @throws IllegalArgumentException if the network cannot take them
     */
    @Override
    public List<INDArray> answer(INDArray[] inputs) {
        try {
            return thread.submit(() -> ask(inputs)).get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the teacher answers", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IllegalArgumentException(
                    "the teacher cannot take the student's input, of shape "
                            + shapes(inputs)
                            + ": "
                            + cause.getMessage()
                            + "; a teacher must have the student's inputs",
                    cause);
        }
    }

    /* One network may teach several students at a time. */
    private List<INDArray> ask(INDArray[] inputs) {
        synchronized (network) {
            Map<String, INDArray> all = NetworkView.ofModel(network).feedForward(inputs);
            List<INDArray> answers = new ArrayList<>();
            for (String layer : layers) {
                answers.add(Objects.requireNonNull(all.get(layer), layer).detach());
            }
            network.clear();
            return answers;
        }
    }

    private static String shapes(INDArray[] inputs) {
        List<String> shapes = new ArrayList<>();
        for (INDArray input : inputs) {
            shapes.add(Arrays.toString(input.shape()));
        }
        return String.join(" and ", shapes);
    }
}
