// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.arbiter.optimize.api.ParameterSpace;
import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;

/**
 * Arbiter's space of quantization specs: a width for each group of layers.
 *
 * <pre>{@code
 * QuantSpecSpace space =
 *         QuantSpecSpace.of(QuantSpec.of(LayerScheme.INT8))
 *                 .with(BitWidthSpace.of(2, 4, 8), "conv2", "conv3")
 *                 .with(BitWidthSpace.of(2, 4, 8), BitWidthSpace.of(4, 8), "dense");
 * }</pre>
 */
@SuppressWarnings("rawtypes") // Arbiter's interfaces
public final class QuantSpecSpace implements ParameterSpace<QuantSpec> {

    private final QuantSpec base;
    private final List<Group> groups;

    /* Layers with one width of weights and one of activations. */
    private record Group(BitWidthSpace weights, BitWidthSpace activations, List<String> layers) {}

    private QuantSpecSpace(QuantSpec base, List<Group> groups) {
        this.base = base;
        this.groups = List.copyOf(groups);
    }

    /**
     * {@return a space with nothing to choose yet}
     *
     * @param base the scheme of all layers that no group names
     */
    public static QuantSpecSpace of(QuantSpec base) {
        Require.given(base, "base");
        return new QuantSpecSpace(base, List.of());
    }

    /**
     * {@return this space with another group, whose weights and activations have one width}
     *
     * @param widths the width to choose
     * @param layers the names of the layers that have it, such as those that feed one residual sum
     */
    public QuantSpecSpace with(BitWidthSpace widths, String... layers) {
        return with(widths, widths, layers);
    }

    /**
     * {@return this space with another group}
     *
     * @param weights the width of the weights
     * @param activations the width of what they are multiplied with
     * @param layers the names of the layers that have both
     * @throws IllegalArgumentException if no layer is named, or one is in two groups
     */
    public QuantSpecSpace with(BitWidthSpace weights, BitWidthSpace activations, String... layers) {
        Require.argument(layers.length > 0, "a group of layers is empty; name its layers");
        Set<String> known = new HashSet<>();
        groups.forEach(group -> known.addAll(group.layers()));
        for (String layer : layers) {
            Require.argument(known.add(layer), "layer '%s' is in two groups", layer);
        }
        List<Group> more = new ArrayList<>(groups);
        more.add(new Group(weights, activations, List.of(layers)));
        return new QuantSpecSpace(base, more);
    }

    /** {@return how many different candidates there are} */
    public double size() {
        double size = 1;
        for (BitWidthSpace space : spaces()) {
            size *= space.numValues();
        }
        return size;
    }

    /**
     * Refuses a space in which there is nothing to search.
     *
     * @throws IllegalArgumentException if there is one candidate only
     */
    void requireChoice() {
        Require.argument(
                size() > 1,
                "the space has one candidate only: %s; give a group of layers two widths or more",
                groups.isEmpty() ? "no layer has widths to choose from" : "each has one width");
    }

    private Set<BitWidthSpace> spaces() {
        Set<BitWidthSpace> spaces = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Group group : groups) {
            spaces.add(group.weights());
            spaces.add(group.activations());
        }
        return spaces;
    }

    @Override
    public QuantSpec getValue(double[] parameters) {
        Require.argument(
                parameters.length == numParameters(),
                "%d parameters for a space of %d",
                parameters.length,
                numParameters());
        QuantSpec spec = base;
        for (Group group : groups) {
            LayerScheme scheme =
                    LayerScheme.ofBits(
                            group.weights().getValue(parameters),
                            group.activations().getValue(parameters));
            for (String layer : group.layers()) {
                spec = spec.with(LayerSelector.named(layer), scheme);
            }
        }
        return spec;
    }

    @Override
    public int numParameters() {
        return spaces().size();
    }

    @Override
    public List<ParameterSpace> collectLeaves() {
        List<ParameterSpace> leaves = new ArrayList<>();
        for (Group group : groups) {
            leaves.add(group.weights());
            leaves.add(group.activations());
        }
        return leaves;
    }

    @Override
    public Map<String, ParameterSpace> getNestedSpaces() {
        Map<String, ParameterSpace> nested = new LinkedHashMap<>();
        for (Group group : groups) {
            String name = String.join(",", group.layers());
            nested.put(name, group.weights());
            if (!group.activations().equals(group.weights())) {
                nested.put(name + " (activations)", group.activations());
            }
        }
        return nested;
    }

    @Override
    public boolean isLeaf() {
        return false;
    }

    @Override
    public void setIndices(int... indices) {
        throw new UnsupportedOperationException(
                "only leaves have indices, not a space of specs: " + Arrays.toString(indices));
    }

    @Override
    public String toString() {
        return "QuantSpecSpace" + getNestedSpaces();
    }
}
