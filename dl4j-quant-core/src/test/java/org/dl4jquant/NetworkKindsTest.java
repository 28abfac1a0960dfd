// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;

/**
 * Only package {@code network} tells the two kinds of DL4J network apart. A class elsewhere may
 * name both if users hand it networks of both kinds, in a public method for each; it passes them on
 * as a {@code NetworkView}.
 */
class NetworkKindsTest {

    /** The other files that name both kinds, with the reason. */
    private static final Map<String, String> EXCEPTIONS =
            Map.of(
                    "monitor.QuantizerListener", "DL4J hands a listener other arguments by kind",
                    "train.DistillationListener", "DL4J hands a listener other arguments by kind",
                    "train.DistillationChecks", "reads settings that the view does not show");

    private static final JavaClasses CORE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("org.dl4jquant");

    @Test
    void onlyPackageNetworkTellsTheKindsApart() {
        Map<String, Set<String>> kinds = new TreeMap<>();
        Set<String> entrances = new TreeSet<>();
        for (JavaClass type : CORE) {
            String name = topLevel(type);
            kinds.computeIfAbsent(name, k -> new TreeSet<>()).addAll(named(type));
            if (isEntrance(type)) {
                entrances.add(name);
            }
        }
        Set<String> both = new TreeSet<>();
        kinds.forEach(
                (name, named) -> {
                    if (named.size() == 2
                            && !name.startsWith("network.")
                            && !entrances.contains(name)) {
                        both.add(name);
                    }
                });
        assertEquals(new TreeSet<>(EXCEPTIONS.keySet()), both);
    }

    private static String topLevel(JavaClass type) {
        return type.getName().replaceFirst("org[.]dl4jquant[.]", "").replaceFirst("[$].*", "");
    }

    private static Set<String> named(JavaClass type) {
        Set<String> named = new TreeSet<>();
        type.getDirectDependenciesFromSelf()
                .forEach(
                        use -> {
                            JavaClass target = use.getTargetClass().getBaseComponentType();
                            if (target.isEquivalentTo(MultiLayerNetwork.class)
                                    || target.isEquivalentTo(ComputationGraph.class)) {
                                named.add(target.getSimpleName());
                            }
                        });
        return named;
    }

    /** {@return whether users hand networks of both kinds to a class, or get them from it} */
    private static boolean isEntrance(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
                && hands(type, MultiLayerNetwork.class)
                && hands(type, ComputationGraph.class);
    }

    private static boolean hands(JavaClass type, Class<?> kind) {
        return type.getMethods().stream()
                .filter(method -> method.getModifiers().contains(JavaModifier.PUBLIC))
                .anyMatch(method -> mentions(method, kind));
    }

    private static boolean mentions(JavaMethod method, Class<?> kind) {
        return method.getRawReturnType().isEquivalentTo(kind)
                || method.getRawParameterTypes().stream().anyMatch(p -> p.isEquivalentTo(kind));
    }
}
