// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * A {@link QuantizedLayer} around an output layer: the underlying layer makes loss and gradient.
 */
@SuppressWarnings("serial")
final class QuantizedOutputRuntime extends QuantizedRuntime implements IOutputLayer {

    private final IOutputLayer output;

    QuantizedOutputRuntime(
            QuantizedLayer layerConf,
            NeuralNetConfiguration conf,
            IOutputLayer inner,
            @Nullable INDArray view,
            Map<String, INDArray> table,
            DataType type) {
        super(layerConf, conf, inner, view, table, type);
        this.output = inner;
    }

    /** DL4J does not call {@code activate} on an output layer in training. */
    @Override
    public Pair<Gradient, INDArray> backpropGradient(
            @Nullable INDArray epsilon, LayerWorkspaceMgr mgr) {
        return named(() -> backward(epsilon, mgr));
    }

    private Pair<Gradient, INDArray> backward(@Nullable INDArray epsilon, LayerWorkspaceMgr mgr) {
        prepare(true, mgr);
        return withScales(simulation().finish(output.backpropGradient(epsilon, mgr)));
    }

    @Override
    public double computeScore(
            double fullNetworkRegScore, boolean training, LayerWorkspaceMgr workspaceMgr) {
        return named(
                () -> {
                    prepare(training, workspaceMgr);
                    return output.computeScore(fullNetworkRegScore, training, workspaceMgr);
                });
    }

    @Override
    public INDArray computeScoreForExamples(
            double fullNetworkRegScore, LayerWorkspaceMgr workspaceMgr) {
        prepare(false, workspaceMgr);
        return output.computeScoreForExamples(fullNetworkRegScore, workspaceMgr);
    }

    @Override
    public boolean needsLabels() {
        return output.needsLabels();
    }

    @Override
    public void setLabels(INDArray labels) {
        output.setLabels(labels);
    }

    @Override
    public INDArray getLabels() {
        return output.getLabels();
    }

    @Override
    public double f1Score(DataSet data) {
        return output.f1Score(data);
    }

    @Override
    public double f1Score(INDArray examples, INDArray labels) {
        return output.f1Score(examples, labels);
    }

    @Override
    @SuppressWarnings("deprecation") // DL4J still asks every classifier for it
    public int numLabels() {
        return output.numLabels();
    }

    @Override
    public void fit(DataSetIterator iter) {
        throw trainsInNetworkOnly();
    }

    @Override
    public int[] predict(INDArray examples) {
        return output.predict(examples);
    }

    @Override
    public List<String> predict(DataSet dataSet) {
        return output.predict(dataSet);
    }

    @Override
    public void fit(INDArray examples, INDArray labels) {
        throw trainsInNetworkOnly();
    }

    @Override
    public void fit(DataSet data) {
        throw trainsInNetworkOnly();
    }

    @Override
    public void fit(INDArray examples, int[] labels) {
        throw trainsInNetworkOnly();
    }

    private UnsupportedOperationException trainsInNetworkOnly() {
        return new UnsupportedOperationException(
                "layer \"" + name() + "\" trains as part of its network; call the network's fit");
    }
}
