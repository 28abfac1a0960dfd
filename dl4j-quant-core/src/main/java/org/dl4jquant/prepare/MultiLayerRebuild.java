// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.network.LayerNames;

/** Builds the prepared network of a MultiLayerNetwork. */
final class MultiLayerRebuild {

    private MultiLayerRebuild() {}

    static MultiLayerNetwork rebuild(MultiLayerNetwork original, Plan plan) {
        MultiLayerNetwork prepared = new MultiLayerNetwork(configuration(original, plan));
        ZeroNetworks.init(prepared);
        Map<String, Layer> from = layersByName(original);
        int index = plan.inserted().size();
        for (Step step : plan.network().steps()) {
            ParameterTransfer.copy(step, from::get, prepared.getLayer(index));
            index++;
        }
        return prepared;
    }

    private static Map<String, Layer> layersByName(MultiLayerNetwork network) {
        Map<String, Layer> layers = new HashMap<>();
        List<String> names = LayerNames.of(network);
        for (int i = 0; i < names.size(); i++) {
            layers.put(names.get(i), network.getLayer(i));
        }
        return layers;
    }

    private static MultiLayerConfiguration configuration(MultiLayerNetwork original, Plan plan) {
        MultiLayerConfiguration before = original.getLayerWiseConfigurations();
        List<String> names = LayerNames.of(before);
        List<NeuralNetConfiguration> layers = new ArrayList<>();
        Map<Integer, InputPreProcessor> preprocessors = new HashMap<>();
        // Nothing but the network's input can have a quantizer of its own in a row of layers.
        plan.inserted()
                .forEach(
                        (input, scheme) ->
                                layers.add(
                                        Wrapping.rounding(
                                                plan.quantizer(input), before.getConf(0), scheme)));
        for (Step step : plan.network().steps()) {
            int was = names.indexOf(step.name());
            InputPreProcessor preprocessor = before.getInputPreProcess(was);
            if (preprocessor != null) {
                preprocessors.put(layers.size(), preprocessor.clone());
            }
            layers.add(Wrapping.configuration(step, before.getConf(was), plan));
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
