// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.prepare.PrepareReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Finds the layers that lose most by rounding, and gives them 16 bits, or another scheme.
 *
 * <pre>{@code
 * QuantSpec gentle = LayerSensitivity.of(trained, QuantSpec.of(LayerScheme.INT4), data).protect(2);
 * }</pre>
 *
 * <p>The protected network becomes integers like any other. Kinds of layers that have no integer
 * form of 16 bits, such as recurrent ones, get 8 bits, which the report of {@code prepare} says. A
 * layer in half precision, {@code protect(2, LayerScheme.FP16)}, trains, but has no integer form.
 *
 * <p>Each layer is measured alone: the float network is prepared with this layer's scheme and all
 * others in float, and the network's result compared with that in float. The data need no labels.
 */
public final class LayerSensitivity {

    private final QuantSpec spec;
    private final List<Layer> layers;

    /**
     * What rounding one layer does to the network's result.
     *
     * @param name the layer's name; a batch normalization and an activation joined with it are
     *     measured with it
     * @param sqnr signal to quantization noise of the network's results in decibels, {@code 10
     *     log10(sum y^2 / sum (y - q)^2)}; infinite without noise
     */
    public record Layer(String name, double sqnr) {}

    private LayerSensitivity(QuantSpec spec, List<Layer> layers) {
        this.spec = spec;
        this.layers = layers;
    }

    /**
     * Measures the layers of a network.
     *
     * @param trained the float network; not changed
     * @param spec how it is to be quantized
     * @param data for calibration and comparison, some hundreds of examples; can be reset
     * @return the sensitivities of the layers that the spec quantizes
     * @throws IllegalArgumentException as {@link Preparation#prepare(MultiLayerNetwork, QuantSpec,
     *     DataSetIterator)}; if the data cannot be reset
     */
    public static LayerSensitivity of(
            MultiLayerNetwork trained, QuantSpec spec, DataSetIterator data) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(data, "data");
        return measure(NetworkView.of(trained), spec, data);
    }

    /**
     * Measures the layers of a network with one input; with several outputs, the first counts.
     *
     * @param trained the float network; not changed
     * @param spec how it is to be quantized
     * @param data for calibration and comparison, some hundreds of examples; can be reset
     * @return the sensitivities of the layers that the spec quantizes
     * @throws IllegalArgumentException as for a {@link MultiLayerNetwork}
     */
    public static LayerSensitivity of(
            ComputationGraph trained, QuantSpec spec, DataSetIterator data) {
        Require.given(trained, "trained");
        Require.given(spec, "spec");
        Require.given(data, "data");
        return measure(NetworkView.of(trained), spec, data);
    }

    private static LayerSensitivity measure(
            NetworkView<?> trained, QuantSpec spec, DataSetIterator data) {
        List<float[]> expected = results(trained, data);
        List<Layer> layers = new ArrayList<>();
        for (PrepareReport.Entry entry :
                Preparation.prepare(trained, spec, data).report().layers()) {
            LayerScheme scheme = entry.scheme();
            if (scheme != null && !scheme.isFloat()) {
                QuantSpec alone =
                        QuantSpec.of(LayerScheme.FLOAT)
                                .with(LayerSelector.named(entry.name()), scheme);
                List<float[]> found =
                        results(
                                NetworkView.ofModel(
                                        Preparation.prepare(trained, alone, data).network()),
                                data);
                layers.add(new Layer(entry.name(), sqnr(expected, found)));
            }
        }
        return new LayerSensitivity(spec, List.copyOf(layers));
    }

    private static List<float[]> results(NetworkView<?> network, DataSetIterator data) {
        MeasuredNetwork measured = new MeasuredNetwork(network);
        List<float[]> results = new ArrayList<>();
        data.reset();
        while (data.hasNext()) {
            results.add(RowMajor.floats(measured.output(data.next())));
        }
        data.reset();
        return results;
    }

    private static double sqnr(List<float[]> expected, List<float[]> found) {
        double signal = 0;
        double noise = 0;
        for (int batch = 0; batch < expected.size(); batch++) {
            float[] wanted = expected.get(batch);
            float[] got = found.get(batch);
            for (int i = 0; i < wanted.length; i++) {
                double error = (double) wanted[i] - got[i];
                signal += (double) wanted[i] * wanted[i];
                noise += error * error;
            }
        }
        return noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
    }

    /** {@return the layers, in the order of the forward pass} */
    public List<Layer> layers() {
        return layers;
    }

    /** {@return the layers, the one that loses most by rounding first} */
    public List<Layer> mostSensitiveFirst() {
        return layers.stream().sorted(Comparator.comparingDouble(Layer::sqnr)).toList();
    }

    /**
     * {@return the spec, with 16 bits for the most sensitive layers}
     *
     * @param count how many layers, from 0 to all
     * @throws IllegalArgumentException if there are not so many
     */
    public QuantSpec protect(int count) {
        return protect(count, LayerScheme.INT16);
    }

    /**
     * {@return the spec, with another scheme for the most sensitive layers}
     *
     * @param count how many layers, from 0 to all
     * @param scheme theirs, for example {@link LayerScheme#INT8}
     * @throws IllegalArgumentException if there are not so many
     */
    public QuantSpec protect(int count, LayerScheme scheme) {
        Require.argument(
                count >= 0 && count <= layers.size(),
                "%d layers to protect; the spec quantizes %d, so use 0 to %d",
                count,
                layers.size(),
                layers.size());
        return protect(
                mostSensitiveFirst().stream().limit(count).map(Layer::name).toList(), scheme);
    }

    /**
     * {@return the spec, with 16 bits for named layers}
     *
     * @param names of layers that the spec quantizes
     * @throws IllegalArgumentException if it quantizes no layer of such a name
     */
    public QuantSpec protect(Collection<String> names) {
        return protect(names, LayerScheme.INT16);
    }

    /**
     * {@return the spec, with another scheme for named layers}
     *
     * @param names of layers that the spec quantizes
     * @param scheme theirs, for example {@link LayerScheme#INT8}
     * @throws IllegalArgumentException if it quantizes no layer of such a name
     */
    public QuantSpec protect(Collection<String> names, LayerScheme scheme) {
        Set<String> known = new LinkedHashSet<>();
        layers.forEach(layer -> known.add(layer.name()));
        QuantSpec gentle = spec;
        for (String name : names) {
            Require.argument(
                    known.contains(name),
                    "layer '%s' cannot be protected: the spec quantizes %s",
                    name,
                    known);
            gentle = gentle.with(LayerSelector.named(name), scheme);
        }
        return gentle;
    }
}
