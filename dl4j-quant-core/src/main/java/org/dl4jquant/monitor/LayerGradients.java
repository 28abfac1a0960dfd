// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.nd.RowMajor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** How the gradient of a layer's scales compares with that of its weights, between two updates. */
final class LayerGradients {

    private final Layer layer;
    private final List<String> weights = new ArrayList<>();

    /**
     * Looks at a layer.
     *
     * @param layer any; one that is not quantized has no ratios
     */
    LayerGradients(Layer layer) {
        this.layer = layer;
        for (QuantizedTensor tensor : QuantizedLayers.tensors(layer)) {
            if (tensor.weight()) {
                weights.add(tensor.name());
            }
        }
    }

    /**
     * {@return {@code (|grad s| / |s|) / (|grad w| / |w|)}; NaN if there are no such gradients}
     *
     * @param tensor the tensor's name; a weight's scales are compared with this weight, others with
     *     all rounded weights of the layer
     * @param scales the name of the parameter s
     */
    double ratio(String tensor, @Nullable String scales) {
        return scales == null
                ? Double.NaN
                : relative(List.of(scales))
                        / relative(weights.contains(tensor) ? List.of(tensor) : weights);
    }

    private double relative(List<String> parameters) {
        Map<String, INDArray> gradients = QuantizedLayers.gradients(layer);
        double ofGradients = 0;
        double ofValues = 0;
        for (String parameter : parameters) {
            INDArray gradient = gradients.get(parameter);
            if (gradient == null) {
                return Double.NaN;
            }
            ofGradients += squares(gradient);
            ofValues += squares(layer.getParam(parameter));
        }
        return Math.sqrt(ofGradients / ofValues);
    }

    private static double squares(INDArray array) {
        double sum = 0;
        for (float value : RowMajor.floats(array)) {
            sum += (double) value * value;
        }
        return sum;
    }
}
