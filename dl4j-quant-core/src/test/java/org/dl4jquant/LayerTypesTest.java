// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Nobody but {@code layer.kind} and {@code network} asks a configuration for the class of DL4J that
 * it is: all that depends on the class is said there, once. The classes that run layers are listed
 * here: they make the runtime of one kind, and know it.
 */
class LayerTypesTest {

    private static final List<Path> SOURCES =
            Stream.of("dl4j-quant-core", "dl4j-quant-cuda")
                    .map(module -> Path.of("..", module, "src", "main", "java"))
                    .toList();

    private static final Pattern QUESTION =
            Pattern.compile(
                    "instanceof\\s+([\\w.]+)"
                            + "|getClass\\(\\)\\s*[!=]=\\s*([\\w.]+)\\.class"
                            + "|\\b([\\w.]+)\\.class(?:::|\\.)(?:isInstance|isAssignableFrom)"
                            + "|type\\s*[!=]=\\s*([\\w.]+)\\.class");

    private static final Pattern IMPORT =
            Pattern.compile(
                    "^import (org\\.deeplearning4j\\.nn\\.conf\\.[\\w.]+);", Pattern.MULTILINE);

    /** The files of packages that may ask, and of runtimes, each of one kind of layer or a few. */
    private static final Set<String> MAY_ASK =
            Set.of(
                    "layer/ChannelsLastConvolution1D.java",
                    "layer/DilatedMaxPool.java",
                    "layer/Dl4jGradients.java",
                    "layer/InnerLayer.java",
                    "layer/PNormGradient.java",
                    "layer/QuantizedLayers.java",
                    "layer/UnderlyingUpdaters.java",
                    "layer/Updaters.java",
                    "layer/integer/ConvolutionForm.java",
                    "layer/integer/IndexLookup.java",
                    "layer/recurrent/RoundedRecurrence.java");

    /** Not a kind, but the frame of a layer in a graph. */
    private static final String FRAME = "org.deeplearning4j.nn.conf.graph.LayerVertex";

    private static final List<String> PACKAGES = List.of("layer/kind/", "network/");

    @Test
    void onlyKindsAndRuntimesKnowTheClassesOfDl4jsLayers() throws IOException {
        Set<String> askers = new TreeSet<>();
        List<String> faults = new ArrayList<>();
        for (Path root : SOURCES) {
            try (Stream<Path> files = Files.walk(root)) {
                for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    String name = name(file);
                    List<String> found = questions(Files.readString(file));
                    if (PACKAGES.stream().noneMatch(name::startsWith) && !found.isEmpty()) {
                        askers.add(name);
                        faults.addAll(found.stream().map(type -> name + ": " + type).toList());
                    }
                }
            }
        }
        assertEquals(new TreeSet<>(MAY_ASK), askers, () -> String.join("\n", faults));
    }

    private static String name(Path file) {
        String name = file.toString().replace('\\', '/');
        String root = "org/dl4jquant/";
        int at = name.indexOf(root);
        return at < 0 ? name : name.substring(at + root.length());
    }

    /** A planted fault of each form is found, and an abstract class's property is none. */
    @Test
    void findsEveryFormOfTheQuestion() {
        String imports =
                """
                import org.deeplearning4j.nn.conf.layers.DenseLayer;
                import org.deeplearning4j.nn.conf.graph.MergeVertex;
                import org.deeplearning4j.nn.conf.layers.BaseLayer;
                """;
        assertEquals(
                List.of("DenseLayer"), questions(imports + "if (layer instanceof DenseLayer) {"));
        assertEquals(
                List.of("DenseLayer"),
                questions(imports + "layer\n instanceof DenseLayer dense && dense.hasBias()"));
        assertEquals(
                List.of("MergeVertex"),
                questions(imports + "vertex.getClass() == MergeVertex.class"));
        assertEquals(List.of("MergeVertex"), questions(imports + "type == MergeVertex.class"));
        assertEquals(
                List.of("MergeVertex"),
                questions(imports + ".filter(MergeVertex.class::isInstance)"));
        assertEquals(
                List.of("DenseLayer"), questions(imports + "DenseLayer.class.isAssignableFrom(x)"));
        assertEquals(
                List.of("org.deeplearning4j.nn.conf.layers.LSTM"),
                questions("layer instanceof org.deeplearning4j.nn.conf.layers.LSTM"));
        assertEquals(List.of(), questions(imports + "layer instanceof BaseLayer base"));
        assertEquals(List.of(), questions("layer instanceof DenseLayer"));
    }

    /** The concrete classes that a file asks for; an abstract one stands for a property. */
    private static List<String> questions(String source) {
        List<String> imported = new ArrayList<>();
        Matcher imports = IMPORT.matcher(source);
        while (imports.find()) {
            imported.add(imports.group(1));
        }
        List<String> found = new ArrayList<>();
        Matcher matcher = QUESTION.matcher(source);
        while (matcher.find()) {
            String type = type(matcher);
            String full =
                    imported.stream()
                            .filter(name -> name.endsWith("." + type))
                            .findFirst()
                            .orElse(type);
            if (!full.equals(FRAME)
                    && full.startsWith("org.deeplearning4j.nn.conf.")
                    && isConcrete(full)) {
                found.add(type);
            }
        }
        return found;
    }

    private static String type(Matcher matcher) {
        for (int group = 1; group <= matcher.groupCount(); group++) {
            if (matcher.group(group) != null) {
                return matcher.group(group);
            }
        }
        throw new IllegalStateException("a question without a type");
    }

    private static boolean isConcrete(String name) {
        try {
            Class<?> type = Class.forName(name, false, LayerTypesTest.class.getClassLoader());
            return !java.lang.reflect.Modifier.isAbstract(type.getModifiers());
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
