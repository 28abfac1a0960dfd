// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.quantizers.TensorObserver;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.ValueRounder;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's dense layer with layer normalization, whose products are rounded before they are
 * normalized. Parameters are DL4J's.
 *
 * @see <a href="https://arxiv.org/abs/1607.06450">Ba et al., 2016: Layer Normalization</a>
 */
@SuppressWarnings("serial") // DL4J's layers are serializable in name only
final class RoundedDense extends DenseLayer implements RoundsInside {

    private static final String WEIGHT = DefaultParamInitializer.WEIGHT_KEY;
    private static final String BIAS = DefaultParamInitializer.BIAS_KEY;
    private static final String GAIN = DefaultParamInitializer.GAIN_KEY;

    private @Nullable ValueRounder rounder;
    private Supplier<@Nullable TensorObserver> observer = () -> null;
    private @Nullable INDArray products;

    private RoundedDense(NeuralNetConfiguration conf, DataType type) {
        super(conf, type);
    }

    /**
     * {@return the layer in float, as DL4J would make it; {@link #connect} gives it its rounder}
     *
     * @param conf the configuration with the layer in it
     * @param layer that layer
     * @param index its index
     * @param view its parameters, not initialized
     * @param type the network's floating-point type
     */
    static RoundedDense of(
            NeuralNetConfiguration conf,
            org.deeplearning4j.nn.conf.layers.DenseLayer layer,
            int index,
            INDArray view,
            DataType type) {
        RoundedDense dense = new RoundedDense(conf, type);
        dense.setIndex(index);
        dense.setParamsViewArray(view);
        dense.setParamTable(layer.initializer().init(conf, view, false));
        dense.setConf(conf);
        return dense;
    }

    @Override
    public void connect(
            Map<TensorRole, ValueRounder> rounders, Supplier<@Nullable TensorObserver> watching) {
        rounder = rounders.get(TensorRole.NORMALIZED);
        observer = watching;
    }

    @Override
    public Map<TensorRole, INDArray> raw() {
        return products == null ? Map.of() : Map.of(TensorRole.NORMALIZED, products);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr mgr) {
        assertInputSet(false);
        applyDropOutIfNecessary(training, mgr);
        INDArray weight = getParamWithNoise(WEIGHT, training, mgr);
        INDArray bias = hasBias() ? getParamWithNoise(BIAS, training, mgr) : null;
        INDArray result = Detached.compute(() -> forward(weight, bias, training));
        INDArray own = mgr.dup(ArrayType.ACTIVATIONS, result);
        if (maskArray != null) {
            applyMask(own);
        }
        return own;
    }

    private INDArray forward(INDArray weight, @Nullable INDArray bias, boolean training) {
        INDArray product = input.castTo(weight.dataType()).mmul(weight);
        products = training ? product : null;
        TensorObserver watching = observer.get();
        if (watching != null) {
            watching.observe(TensorRole.NORMALIZED, product);
        }
        Standard standard = Standard.of(watching == null ? rounded(product) : product);
        INDArray result = standard.values().mulRowVector(getParam(GAIN));
        return bias == null ? result : result.addiRowVector(bias);
    }

    private INDArray rounded(INDArray product) {
        if (rounder == null) {
            return product;
        }
        INDArray result = Nd4j.createUninitialized(product.dataType(), product.shape(), 'c');
        rounder.forward(product, result);
        return result;
    }

    /**
     * Rows of mean 0 and variance 1.
     *
     * @param values the rows
     * @param deviations the standard deviations that they were divided by; infinite where a row has
     *     equal elements, which are 0
     */
    private record Standard(INDArray values, INDArray deviations) {

        static Standard of(INDArray rows) {
            INDArray centered = rows.subColumnVector(rows.mean(true, 1));
            INDArray deviations = centered.norm2(true, 1).divi(Math.sqrt((double) rows.size(1)));
            for (int i = 0; i < deviations.length(); i++) {
                if (deviations.getDouble(i) == 0) {
                    deviations.putScalar(i, Double.POSITIVE_INFINITY);
                }
            }
            return new Standard(centered.diviColumnVector(deviations), deviations);
        }

        INDArray backward(INDArray upstream) {
            INDArray along = upstream.mul(values).mean(true, 1);
            return upstream.subColumnVector(upstream.mean(true, 1))
                    .subi(values.mulColumnVector(along))
                    .diviColumnVector(deviations);
        }
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr mgr) {
        assertInputSet(true);
        if (maskArray != null) {
            applyMask(epsilon);
        }
        INDArray weight = getParamWithNoise(WEIGHT, true, mgr);
        INDArray toInput = Detached.compute(() -> backward(epsilon, weight));
        products = null;
        Gradient gradient = new DefaultGradient();
        for (String key : List.of(BIAS, GAIN, WEIGHT)) {
            if (!key.equals(BIAS) || hasBias()) {
                gradient.setGradientFor(key, gradientView(key));
            }
        }
        weightNoiseParams.clear();
        INDArray own = mgr.dup(ArrayType.ACTIVATION_GRAD, toInput);
        return new Pair<>(gradient, backpropDropOutIfPresent(own));
    }

    private INDArray backward(INDArray epsilon, INDArray weight) {
        INDArray from = input.castTo(weight.dataType());
        INDArray product = products == null ? from.mmul(weight) : products;
        Standard standard = Standard.of(rounded(product));
        if (hasBias()) {
            gradientView(BIAS).assign(epsilon.sum(0));
        }
        gradientView(GAIN).assign(epsilon.mul(standard.values()).sum(0));
        INDArray toProduct = standard.backward(epsilon.mulRowVector(getParam(GAIN)));
        if (rounder != null) {
            INDArray through = Nd4j.createUninitialized(product.dataType(), product.shape(), 'c');
            rounder.backward(product, toProduct, through);
            toProduct = through;
        }
        Nd4j.gemm(from, toProduct, gradientView(WEIGHT), true, false, 1, 0);
        return toProduct.mmul(weight.transpose());
    }

    private INDArray gradientView(String key) {
        return Objects.requireNonNull(gradientViews.get(key), key);
    }

    @Override
    public void clear() {
        super.clear();
        products = null;
    }
}
