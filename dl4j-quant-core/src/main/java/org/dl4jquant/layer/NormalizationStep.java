// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Arrays;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.integer.ChannelLine;
import org.dl4jquant.nd.RowMajor;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastAddOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The batch normalization of a quantized layer: DL4J's own layer in training, and in inference the
 * line {@code factor * x + shift} of each channel.
 */
final class NormalizationStep {

    private static final double TEN = 10;

    private final BatchNormalization conf;
    private final Layer runtime;
    private final Map<String, INDArray> parameters;

    NormalizationStep(
            BatchNormalization conf,
            NeuralNetConfiguration outer,
            int index,
            INDArray view,
            DataType type,
            Map<String, INDArray> parameters) {
        this.conf = conf;
        NeuralNetConfiguration inner = outer.clone();
        inner.setLayer(conf);
        inner.clearVariables();
        this.runtime = conf.instantiate(inner, null, index, view, false, type);
        this.parameters = parameters;
    }

    void setGradients(INDArray view) {
        runtime.setBackpropGradientsViewArray(view);
    }

    INDArray trainingForward(INDArray x, LayerWorkspaceMgr mgr) {
        return runtime.activate(x, true, mgr);
    }

    /** {@return the gradients of what learns, and the input's} */
    Pair<Gradient, INDArray> backward(INDArray upstream, LayerWorkspaceMgr mgr) {
        Pair<Gradient, INDArray> all = runtime.backpropGradient(upstream, mgr);
        Gradient learned = new DefaultGradient();
        // DL4J would clip the running statistics' movement together with the gradients.
        all.getFirst()
                .gradientForVariable()
                .forEach(
                        (key, values) -> {
                            if (updaterDividesByMinibatch(key)) {
                                learned.setGradientFor(key, values);
                            }
                        });
        return new Pair<>(learned, all.getSecond());
    }

    boolean updaterDividesByMinibatch(String key) {
        return runtime.updaterDivideByMinibatch(key);
    }

    void clear() {
        runtime.clear();
    }

    /** {@return the line of each channel, by the running statistics} */
    ChannelLine line() {
        int channels = (int) conf.getNOut();
        double[] factor = new double[channels];
        double[] shift = new double[channels];
        // DL4J applies constants only if both differ from 1 and 0, so training did, too.
        boolean applied = conf.getGamma() != 1 && conf.getBeta() != 0;
        double[] gamma =
                values(BatchNormalizationParamInitializer.GAMMA, applied ? conf.getGamma() : 1);
        double[] beta =
                values(BatchNormalizationParamInitializer.BETA, applied ? conf.getBeta() : 0);
        double[] mean = values(BatchNormalizationParamInitializer.GLOBAL_MEAN, 0);
        double[] variance = variance();
        for (int c = 0; c < channels; c++) {
            factor[c] = gamma[c] / Math.sqrt(variance[c] + conf.getEps());
            shift[c] = beta[c] - mean[c] * factor[c];
        }
        return ChannelLine.of(factor, shift);
    }

    /**
     * {@return the line of each channel}
     *
     * @throws IllegalStateException if one is NaN or infinite, as with a negative running variance
     */
    ChannelLine finiteLine() {
        ChannelLine line = line();
        for (int c = 0; c < line.channels(); c++) {
            Require.state(
                    Double.isFinite(line.factor(c)) && Double.isFinite(line.shift(c)),
                    "layer \"%s\": its batch normalization multiplies channel %d by %s and adds %s;"
                            + " its running variance there is %s, and must not be negative. %s",
                    conf.getLayerName(),
                    c,
                    line.factor(c),
                    line.shift(c),
                    variance()[c],
                    "Train on with good statistics, or go back to the last good checkpoint");
        }
        return line;
    }

    private double[] variance() {
        if (!conf.isUseLogStd()) {
            return values(BatchNormalizationParamInitializer.GLOBAL_VAR, 1);
        }
        double[] log = values(BatchNormalizationParamInitializer.GLOBAL_LOG_STD, 0);
        for (int c = 0; c < log.length; c++) {
            log[c] = StrictMath.pow(TEN, 2 * log[c]);
        }
        return log;
    }

    private double[] values(String key, double otherwise) {
        @Nullable INDArray values = parameters.get(key);
        if (values != null) {
            return RowMajor.doubles(values);
        }
        double[] constant = new double[(int) conf.getNOut()];
        Arrays.fill(constant, otherwise);
        return constant;
    }

    /** Applies the lines in place, along a dimension. */
    void inferenceForwardInPlace(INDArray x, int channelAxis) {
        ChannelLine line = line();
        INDArray factor = Nd4j.create(line.factors()).castTo(x.dataType());
        INDArray shift = Nd4j.create(line.shifts()).castTo(x.dataType());
        Nd4j.getExecutioner().exec(new BroadcastMulOp(x, factor, x, channelAxis));
        Nd4j.getExecutioner().exec(new BroadcastAddOp(x, shift, x, channelAxis));
    }
}
