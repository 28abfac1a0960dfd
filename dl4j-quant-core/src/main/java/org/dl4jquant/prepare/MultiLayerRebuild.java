// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** Builds the prepared network of a MultiLayerNetwork. */
final class MultiLayerRebuild {

    private MultiLayerRebuild() {}

    static MultiLayerNetwork rebuild(MultiLayerNetwork original, Plan plan) {
        MultiLayerNetwork prepared = new MultiLayerNetwork(configuration(original, plan));
        prepared.init();
        Map<String, Layer> from = layersByName(original);
        int index = 0;
        for (Step step : plan.network().steps()) {
            Masters.copy(step, from::get, prepared.getLayer(index));
            index++;
        }
        return prepared;
    }

    private static Map<String, Layer> layersByName(MultiLayerNetwork network) {
        Map<String, Layer> layers = new HashMap<>();
        for (int i = 0; i < network.getnLayers(); i++) {
            org.deeplearning4j.nn.conf.layers.Layer conf =
                    network.getLayerWiseConfigurations().getConf(i).getLayer();
            layers.put(FloatNetwork.nameOf(conf, i), network.getLayer(i));
        }
        return layers;
    }

    private static MultiLayerConfiguration configuration(MultiLayerNetwork original, Plan plan) {
        MultiLayerConfiguration before = original.getLayerWiseConfigurations();
        Map<String, Integer> indices = new HashMap<>();
        for (int i = 0; i < before.getConfs().size(); i++) {
            indices.put(FloatNetwork.nameOf(before.getConf(i).getLayer(), i), i);
        }
        List<NeuralNetConfiguration> layers = new ArrayList<>();
        Map<Integer, InputPreProcessor> preprocessors = new HashMap<>();
        for (Step step : plan.network().steps()) {
            int was = Objects.requireNonNull(indices.get(step.name()), step.name());
            InputPreProcessor preprocessor = before.getInputPreProcess(was);
            if (preprocessor != null) {
                preprocessors.put(layers.size(), preprocessor.clone());
            }
            layers.add(
                    Wrapping.configuration(
                            step, before.getConf(was), plan.wrapped().get(step.name())));
        }
        StandaloneUpdaters.assign(layers.stream().map(NeuralNetConfiguration::getLayer).toList());
        MultiLayerConfiguration after = before.clone();
        after.setConfs(layers);
        after.setInputPreProcessors(preprocessors);
        after.setIterationCount(0);
        after.setEpochCount(0);
        return after;
    }
}
