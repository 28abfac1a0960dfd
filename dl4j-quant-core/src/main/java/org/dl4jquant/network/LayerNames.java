// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.jspecify.annotations.Nullable;

/**
 * Names of layers, kept apart.
 *
 * <p>DL4J lets two layers of a {@link MultiLayerNetwork} bear one name, gives those without a name
 * {@code layer0} and so on, whoever bears that already, and finds only one of them by it. Here each
 * layer has a name of its own: the first of a name keeps it, the second of {@code conv} is {@code
 * conv_2}. What the library adds to a network never takes a name from one of its layers.
 */
public final class LayerNames {

    /** The name of a network input that DL4J does not name, if no layer has this name. */
    private static final String INPUT = "input";

    /** The name of a node whose layer has a name of blanks only. */
    private static final String UNNAMED = "layer";

    private static final char REPLACEMENT = '_';

    private LayerNames() {}

    /**
     * Returns the names of a network's layers, in order, all different.
     *
     * @param network a network
     * @return one name for each layer
     */
    public static List<String> of(MultiLayerNetwork network) {
        return of(network.getLayerWiseConfigurations());
    }

    /**
     * Returns the names of a network's layers, in order, all different.
     *
     * @param conf a network's configuration
     * @return one name for each layer
     */
    public static List<String> of(MultiLayerConfiguration conf) {
        List<@Nullable String> own = new ArrayList<>();
        for (int i = 0; i < conf.getConfs().size(); i++) {
            own.add(conf.getConf(i).getLayer().getLayerName());
        }
        return distinct(own);
    }

    /**
     * Returns names that are all different.
     *
     * @param own the layers' own names, null or blank where there is none
     * @return one name for each layer, its own wherever no earlier layer bears it
     */
    static List<String> distinct(List<? extends @Nullable String> own) {
        Set<String> reserved = new HashSet<>();
        for (String name : own) {
            if (name != null && !name.isBlank()) {
                reserved.add(name);
            }
        }
        Set<String> given = new HashSet<>();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < own.size(); i++) {
            String name = own.get(i);
            boolean unnamed = name == null || name.isBlank();
            String wish = unnamed ? "layer" + i : String.valueOf(name);
            String taken = !unnamed && given.add(wish) ? wish : fresh(wish, reserved);
            reserved.add(taken);
            given.add(taken);
            names.add(taken);
        }
        return names;
    }

    /**
     * Returns the name of a {@link MultiLayerNetwork}'s input, which DL4J does not name.
     *
     * @param layers the names of its layers
     * @return {@code input}, or if a layer is called so, a name like it
     */
    public static String input(Collection<String> layers) {
        return fresh(INPUT, layers);
    }

    /**
     * Returns a name that nothing bears yet.
     *
     * @param wish the name that is returned if it is free
     * @param taken all names that are not free
     * @return the wish, or the wish with {@code _2} or a higher number after it
     */
    public static String fresh(String wish, Collection<String> taken) {
        String name = wish;
        for (int i = 2; taken.contains(name); i++) {
            name = wish + REPLACEMENT + i;
        }
        return name;
    }

    /**
     * Returns what the results of a network's layers are called in the integer graph: by the
     * layers' names. Only characters that a file or a runtime could not hold are replaced by {@code
     * _}: control characters, and what is outside of Unicode's first 65,536 characters, which Java
     * hands to native libraries in an encoding of its own. A blank name becomes {@code layer}.
     *
     * @param names names of layers and inputs, all different
     * @return for each the name of its node, all different
     */
    public static Map<String, String> ofNodes(Collection<String> names) {
        Set<String> taken = new HashSet<>(names);
        Map<String, String> nodes = new LinkedHashMap<>();
        for (String name : names) {
            String plain = plain(name);
            String node = plain.equals(name) ? name : fresh(plain, taken);
            taken.add(node);
            nodes.put(name, node);
        }
        return nodes;
    }

    private static String plain(String name) {
        StringBuilder plain = new StringBuilder(name);
        for (int i = 0; i < plain.length(); i++) {
            if (Character.isISOControl(plain.charAt(i)) || Character.isSurrogate(plain.charAt(i))) {
                plain.setCharAt(i, REPLACEMENT);
            }
        }
        return name.isBlank() ? UNNAMED : plain.toString();
    }
}
