// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.jspecify.annotations.Nullable;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** The view of a graph. */
final class GraphView extends NetworkView<ComputationGraph> {

    GraphView(ComputationGraph network) {
        super(network);
    }

    private ComputationGraphConfiguration conf() {
        return network().getConfiguration();
    }

    @Override
    public boolean initialized() {
        return network().params() != null;
    }

    @Override
    public Topology<Step> topology() {
        List<Step> steps = new ArrayList<>();
        for (org.deeplearning4j.nn.graph.vertex.GraphVertex running : inOrder()) {
            String name = running.getVertexName();
            GraphVertex vertex = conf().getVertices().get(name);
            if (vertex != null) {
                steps.add(
                        Step.of(name, vertex, requireNonNull(conf().getVertexInputs().get(name))));
            }
        }
        return new Topology<>(steps, conf().getNetworkInputs(), conf().getNetworkOutputs());
    }

    private List<org.deeplearning4j.nn.graph.vertex.GraphVertex> inOrder() {
        List<org.deeplearning4j.nn.graph.vertex.GraphVertex> vertices = new ArrayList<>();
        for (int index : network().topologicalSortOrder()) {
            vertices.add(network().getVertices()[index]);
        }
        return vertices;
    }

    @Override
    public List<String> names() {
        return inOrder().stream()
                .filter(vertex -> vertex.getLayer() != null)
                .map(org.deeplearning4j.nn.graph.vertex.GraphVertex::getVertexName)
                .toList();
    }

    @Override
    public List<Layer> layers() {
        return inOrder().stream()
                .filter(vertex -> vertex.getLayer() != null)
                .map(org.deeplearning4j.nn.graph.vertex.GraphVertex::getLayer)
                .toList();
    }

    @Override
    public @Nullable Trainable trainable(String name) {
        org.deeplearning4j.nn.graph.vertex.GraphVertex vertex = network().getVertex(name);
        return vertex == null || vertex.getLayer() == null ? vertex : vertex.getLayer();
    }

    @Override
    public String json() {
        return conf().toJson();
    }

    @Override
    public List<Part> parts() {
        return topology().steps().stream().map(this::part).toList();
    }

    private Part part(Step step) {
        GraphVertex vertex = requireNonNull(conf().getVertices().get(step.name()));
        GraphVertex inside = Frozen.inside(vertex);
        if (inside instanceof LayerVertex layer) {
            InputPreProcessor before = layer.getPreProcessor();
            return new Part(
                    step.name(),
                    step.inputs(),
                    layer.getLayerConf().clone(),
                    vertex,
                    before == null ? null : before.clone());
        }
        GraphVertex copy = Frozen.like(vertex, GraphCopies.of(inside));
        return new Part(step.name(), step.inputs(), null, copy, null);
    }

    @Override
    public NeuralNetConfiguration defaults() {
        return conf().getDefaultConfiguration().clone();
    }

    @Override
    public NetworkView<ComputationGraph> assemble(
            List<Part> parts, List<String> tensors, List<String> outputs) {
        Map<String, GraphVertex> vertices = new LinkedHashMap<>();
        Map<String, List<String>> inputs = new LinkedHashMap<>();
        for (Part part : parts) {
            vertices.put(part.name(), part.graphVertex());
            inputs.put(part.name(), part.inputs());
        }
        ComputationGraphConfiguration after = conf().clone();
        after.setVertices(vertices);
        after.setVertexInputs(inputs);
        if (!tensors.equals(conf().getNetworkInputs())) {
            after.setNetworkInputs(new ArrayList<>(tensors));
        }
        after.setNetworkOutputs(new ArrayList<>(outputs));
        after.setTopologicalOrder(null);
        after.setTopologicalOrderStr(null);
        after.setIterationCount(0);
        after.setEpochCount(0);
        ComputationGraph made = new ComputationGraph(after);
        ZeroNetworks.init(made);
        return of(made);
    }

    @Override
    public INDArray[] output(INDArray[] features, INDArray @Nullable [] masks) {
        return network().output(false, features, masks, null);
    }

    @Override
    public Map<String, INDArray> feedForward(INDArray[] features) {
        Map<String, INDArray> byName = new LinkedHashMap<>(network().feedForward(features, false));
        byName.keySet().removeAll(conf().getNetworkInputs());
        return byName;
    }

    @Override
    public Evaluation evaluate(DataSetIterator data) {
        return network().evaluate(data);
    }

    @Override
    public void fit(DataSetIterator data, int epochs) {
        network().fit(data, epochs);
    }

    @Override
    public Gradient gradient(
            INDArray features,
            INDArray labels,
            @Nullable INDArray featuresMask,
            @Nullable INDArray labelsMask) {
        network().setInputs(features);
        network().setLabels(labels);
        network().setLayerMaskArrays(masks(featuresMask), masks(labelsMask));
        network().computeGradientAndScore();
        return network().gradient();
    }

    private static INDArray @Nullable [] masks(@Nullable INDArray mask) {
        return mask == null ? null : new INDArray[] {mask};
    }

    @Override
    public void startGradients() {
        network().initGradientsView();
    }

    @Override
    public String gradientKey(String layer, String parameter) {
        return layer + "_" + parameter;
    }

    @Override
    public int iterations() {
        return conf().getIterationCount();
    }

    @Override
    public int epochs() {
        return conf().getEpochCount();
    }

    @Override
    public void setCounts(int iterations, int epochs) {
        conf().setIterationCount(iterations);
        conf().setEpochCount(epochs);
        setCountsOfLayers(iterations, epochs);
    }

    @Override
    public Collection<TrainingListener> listeners() {
        Collection<TrainingListener> listeners = network().getListeners();
        return listeners == null ? List.of() : listeners;
    }

    @Override
    public @Nullable BaseMultiLayerUpdater<?> updater() {
        return network().getUpdater(false);
    }

    @Override
    public BaseMultiLayerUpdater<?> madeUpdater() {
        return network().getUpdater();
    }

    @Override
    public void resetUpdater() {
        network().setUpdater(null);
    }

    @Override
    public NetworkView<ComputationGraph> copy(DataType type) {
        return of(GraphCopies.of(network(), type));
    }

    @Override
    public void substitute(String name, Layer other) {
        org.deeplearning4j.nn.graph.vertex.GraphVertex[] vertices = network().getVertices();
        requireIndex(name);
        int index = network().getVertex(name).getVertexIndex();
        vertices[index] =
                new org.deeplearning4j.nn.graph.vertex.impl.LayerVertex(
                        network(),
                        name,
                        index,
                        vertices[index].getInputVertices(),
                        vertices[index].getOutputVertices(),
                        other,
                        ((org.deeplearning4j.nn.graph.vertex.impl.LayerVertex) vertices[index])
                                .getLayerPreProcessor(),
                        vertices[index].isOutputVertex(),
                        conf().getDataType());
    }
}
