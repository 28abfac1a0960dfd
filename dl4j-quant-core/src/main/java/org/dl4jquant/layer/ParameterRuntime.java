// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.scale.ScaleParameter;
import org.dl4jquant.layer.scale.ScaleStepLimit;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The parameters of a running quantized layer, as DL4J asks for them: those of the network, all
 * views of its flat buffer. The underlying layer has rounded images of them.
 */
@SuppressWarnings(
        "serial") // DL4J's layers are serializable in name only; models are saved otherwise
class ParameterRuntime extends BaseWrapperLayer {

    final QuantizedLayer layerConf;
    final Map<String, INDArray> table;
    private NeuralNetConfiguration conf;
    private @Nullable INDArray view;

    ParameterRuntime(
            QuantizedLayer layerConf,
            NeuralNetConfiguration conf,
            Layer inner,
            @Nullable INDArray view,
            Map<String, INDArray> table) {
        super(inner);
        this.layerConf = layerConf;
        this.conf = conf;
        this.view = view;
        this.table = table;
    }

    String name() {
        return String.valueOf(layerConf.getLayerName());
    }

    QuantizedLayer layerConf() {
        return layerConf;
    }

    @Override
    public NeuralNetConfiguration conf() {
        return conf;
    }

    @Override
    public void setConf(NeuralNetConfiguration conf) {
        this.conf = conf;
    }

    @Override
    public TrainingConfig getConfig() {
        return layerConf;
    }

    /** Layerwise pretraining comes before quantization: it would train the rounded image. */
    @Override
    public boolean isPretrainLayer() {
        return false;
    }

    @Override
    public @Nullable INDArray params() {
        return view;
    }

    @Override
    public long numParams() {
        return view == null ? 0 : view.length();
    }

    @Override
    public long numParams(boolean backwards) {
        return numParams();
    }

    @Override
    public void setParams(INDArray params) {
        INDArray mine = view;
        if (mine == null || params == mine) {
            return;
        }
        Require.argument(
                params.length() == mine.length(),
                "layer \"%s\" has %d parameters, not %d",
                name(),
                mine.length(),
                params.length());
        mine.assign(params.reshape(mine.shape()));
    }

    @Override
    public void setParamsViewArray(INDArray params) {
        // The views of single parameters stay those that the layer was made with, as in DL4J.
        view = params;
    }

    @Override
    public INDArray getParam(String param) {
        return Objects.requireNonNull(table.get(param), param);
    }

    @Override
    public void setParam(String key, INDArray val) {
        getParam(key).assign(val);
    }

    @Override
    public Map<String, INDArray> paramTable() {
        return table;
    }

    @Override
    public Map<String, INDArray> paramTable(boolean backpropParamsOnly) {
        return table;
    }

    @Override
    public void setParamTable(Map<String, INDArray> paramTable) {
        paramTable.forEach(this::setParam);
    }

    @Override
    public void update(INDArray gradient, String paramType) {
        getParam(paramType).addi(gradient.reshape(getParam(paramType).shape()));
    }

    @Override
    public void update(Gradient gradient) {
        gradient.gradientForVariable().forEach((key, value) -> update(value, key));
    }

    @Override
    public double calcRegularizationScore(boolean backpropParamsOnly) {
        return QuantizedParameters.regularizationScore(
                layerConf, table, getIterationCount(), getEpochCount());
    }

    /**
     * Shortens the gradients of scales and zero points, and names them for DL4J.
     *
     * @param all the gradient of the layer
     * @param views of the network's gradient by parameter, sums over the examples; changed
     * @param examples the number that DL4J divides the gradients by
     */
    void limitScaleSteps(Gradient all, Map<String, INDArray> views, long examples) {
        ScaleStepLimit limit =
                new ScaleStepLimit(
                        layerConf.quantizers(), examples, getIterationCount(), getEpochCount());
        // DL4J would make a step of a scale as long as one of a weight: many times the scale.
        boolean named =
                layerConf.getGradientNormalization()
                        != GradientNormalization.RenormalizeL2PerParamType;
        for (ScaleParameter parameter : QuantizedParameters.scales(layerConf)) {
            String key = parameter.name();
            INDArray gradients = views.get(key);
            INDArray scales = table.get(key);
            if (gradients != null && scales != null) {
                limit.shorten(key, scales, gradients, layerConf.getUpdaterByParam(key));
                if (named) {
                    all.setGradientFor(key, gradients);
                }
            }
        }
    }
}
