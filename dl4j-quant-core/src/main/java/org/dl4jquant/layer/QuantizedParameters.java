// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.layer.scale.InitialScales;
import org.dl4jquant.layer.scale.ScaleParameter;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * The layout of a quantized layer's parameters: the underlying layer's, the scales, the batch
 * normalization's, one after the other.
 *
 * <p>The batch normalization's running mean and variance come last, because they are not moved by
 * gradients: what lies before them is one view, which DL4J may clip or normalize.
 */
final class QuantizedParameters implements ParamInitializer {

    static final QuantizedParameters INSTANCE = new QuantizedParameters();

    private static final long NORMALIZATION_STATISTICS = 2;
    private static final long NORMALIZATION_PARAMETERS = 4;

    private QuantizedParameters() {}

    /** The three parts of a view of the layer's parameters; an empty one is null. */
    record Parts(@Nullable INDArray inner, @Nullable INDArray normalization) {}

    static List<WeightSlot> weightSlots(QuantizedLayer layer) {
        TensorScheme scheme = layer.preparedQuantizers().weights();
        if (scheme == null || !(scheme.format() instanceof IntFormat)) {
            return List.of();
        }
        Layer inner = layer.getUnderlying();
        Map<String, INDArray> shapes = shapes(inner);
        List<WeightSlot> slots = new ArrayList<>();
        LayerKinds.of(inner)
                .weights()
                .forEach(
                        (key, layout) -> {
                            INDArray shape = shapes.get(key);
                            if (shape != null) {
                                slots.add(
                                        WeightSlot.of(
                                                inner, key, layout, shape, scheme.granularity()));
                            }
                        });
        return slots;
    }

    /* A layer normalization's gain is listed among the weights, but it is one number per channel and
     * stays in float. */
    static List<String> roundedWeights(QuantizedLayer layer, Map<String, INDArray> table) {
        return layer.quantizers().weights() == null
                ? List.of()
                : LayerKinds.of(layer.getUnderlying()).weights().keySet().stream()
                        .filter(table::containsKey)
                        .toList();
    }

    /** Arrays of the underlying layer's parameters that have the right shapes and no contents. */
    private static Map<String, INDArray> shapes(Layer inner) {
        NeuralNetConfiguration conf = configurationOf(inner);
        long length = inner.initializer().numParams(conf);
        return length == 0
                ? Map.of()
                : inner.initializer().init(conf, Nd4j.createUninitialized(length), false);
    }

    static NeuralNetConfiguration configurationOf(Layer inner) {
        NeuralNetConfiguration conf = new NeuralNetConfiguration();
        conf.setLayer(inner);
        return conf;
    }

    /** {@return the wrapper's own parameters, in their order} */
    static List<ScaleParameter> scales(QuantizedLayer layer) {
        return ScaleParameter.of(weightSlots(layer), layer.preparedQuantizers());
    }

    private static long innerLength(QuantizedLayer layer) {
        return innerLength(layer.getUnderlying());
    }

    /** {@return how many parameters a layer has without quantizers} */
    static long innerLength(Layer inner) {
        return inner.initializer().numParams(configurationOf(inner));
    }

    static long normalizationLength(QuantizedLayer layer) {
        BatchNormalization normalization = layer.batchNormalization();
        if (normalization == null) {
            return 0;
        }
        return normalization.getNOut()
                * (normalization.isLockGammaBeta()
                        ? NORMALIZATION_STATISTICS
                        : NORMALIZATION_PARAMETERS);
    }

    private static long scalesLength(QuantizedLayer layer) {
        return scales(layer).stream().mapToLong(ScaleParameter::length).sum();
    }

    static Parts parts(QuantizedLayer layer, @Nullable INDArray view) {
        long inner = innerLength(layer);
        long normalization = inner + scalesLength(layer);
        return new Parts(
                part(view, 0, inner),
                part(view, normalization, normalization + normalizationLength(layer)));
    }

    /**
     * {@return the part of the gradients that are gradients: a batch normalization puts into its
     * own how far the running mean and variance shall move, which is nothing to be clipped}
     *
     * @param layer the layer
     * @param gradients a view of all its gradients
     */
    static @Nullable INDArray withoutStatistics(QuantizedLayer layer, INDArray gradients) {
        BatchNormalization normalization = layer.batchNormalization();
        long statistics =
                normalization == null ? 0 : NORMALIZATION_STATISTICS * normalization.getNOut();
        return statistics == 0 ? gradients : part(gradients, 0, gradients.length() - statistics);
    }

    private static @Nullable INDArray part(@Nullable INDArray view, long from, long to) {
        return view == null || from == to
                ? null
                : view.reshape(view.length()).get(NDArrayIndex.interval(from, to));
    }

    static boolean isUnderlying(QuantizedLayer layer, String key) {
        Layer inner = layer.getUnderlying();
        return inner.initializer().paramKeys(inner).contains(key);
    }

    static boolean isNormalization(QuantizedLayer layer, String key) {
        BatchNormalization normalization = layer.batchNormalization();
        return normalization != null
                && normalization.initializer().paramKeys(normalization).contains(key);
    }

    /** {@return views of all parameters of the layer, by name, in their order} */
    static Map<String, INDArray> table(
            QuantizedLayer layer, @Nullable INDArray view, boolean initialize) {
        Map<String, INDArray> table = new LinkedHashMap<>();
        Parts parts = parts(layer, view);
        Layer inner = layer.getUnderlying();
        if (parts.inner() != null) {
            table.putAll(
                    inner.initializer().init(configurationOf(inner), parts.inner(), initialize));
        }
        long at = innerLength(layer);
        for (ScaleParameter scale : scales(layer)) {
            INDArray values = part(view, at, at + scale.length());
            if (values != null) {
                table.put(scale.name(), values);
            }
            at += scale.length();
        }
        BatchNormalization normalization = layer.batchNormalization();
        if (normalization != null && parts.normalization() != null) {
            table.putAll(
                    normalization
                            .initializer()
                            .init(
                                    configurationOf(normalization),
                                    parts.normalization(),
                                    initialize));
        }
        if (initialize) {
            InitialScales.assign(weightSlots(layer), layer.preparedQuantizers(), table);
        }
        return table;
    }

    /** Sets the gradients of the wrapper's own parameters to 0: they stay as they are. */
    static void zeroScales(QuantizedLayer layer, Map<String, INDArray> gradients) {
        for (ScaleParameter scale : scales(layer)) {
            INDArray gradient = gradients.get(scale.name());
            if (gradient != null) {
                gradient.assign(0);
            }
        }
    }

    static double regularizationScore(
            QuantizedLayer layer, Map<String, INDArray> table, int iteration, int epoch) {
        double sum = 0;
        for (Map.Entry<String, INDArray> entry : table.entrySet()) {
            List<Regularization> terms = layer.getRegularizationByParam(entry.getKey());
            for (Regularization term : terms == null ? List.<Regularization>of() : terms) {
                sum += term.score(entry.getValue(), iteration, epoch);
            }
        }
        return sum;
    }

    @Override
    public long numParams(NeuralNetConfiguration conf) {
        return numParams(conf.getLayer());
    }

    @Override
    public long numParams(Layer conf) {
        QuantizedLayer layer = (QuantizedLayer) conf;
        return innerLength(layer) + scalesLength(layer) + normalizationLength(layer);
    }

    @Override
    public List<String> paramKeys(Layer conf) {
        QuantizedLayer layer = (QuantizedLayer) conf;
        Layer inner = layer.getUnderlying();
        List<String> keys = new ArrayList<>(inner.initializer().paramKeys(inner));
        scales(layer).forEach(scale -> keys.add(scale.name()));
        BatchNormalization normalization = layer.batchNormalization();
        if (normalization != null) {
            keys.addAll(normalization.initializer().paramKeys(normalization));
        }
        return keys;
    }

    @Override
    public List<String> weightKeys(Layer conf) {
        Layer inner = ((QuantizedLayer) conf).getUnderlying();
        return inner.initializer().weightKeys(inner);
    }

    @Override
    public List<String> biasKeys(Layer conf) {
        Layer inner = ((QuantizedLayer) conf).getUnderlying();
        return inner.initializer().biasKeys(inner);
    }

    @Override
    public boolean isWeightParam(Layer conf, String key) {
        Layer inner = ((QuantizedLayer) conf).getUnderlying();
        return isUnderlying((QuantizedLayer) conf, key)
                && inner.initializer().isWeightParam(inner, key);
    }

    @Override
    public boolean isBiasParam(Layer conf, String key) {
        Layer inner = ((QuantizedLayer) conf).getUnderlying();
        return isUnderlying((QuantizedLayer) conf, key)
                && inner.initializer().isBiasParam(inner, key);
    }

    @Override
    public Map<String, INDArray> init(
            NeuralNetConfiguration conf, INDArray paramsView, boolean initializeParams) {
        Map<String, INDArray> table =
                table((QuantizedLayer) conf.getLayer(), paramsView, initializeParams);
        table.keySet().forEach(conf::addVariable);
        return table;
    }

    @Override
    public Map<String, INDArray> getGradientsFromFlattened(
            NeuralNetConfiguration conf, INDArray gradientView) {
        return table((QuantizedLayer) conf.getLayer(), gradientView, false);
    }
}
