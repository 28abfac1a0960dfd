// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The module's packages use one another, the core module and libraries as the table says. */
final class CudaArchitectureTest {

    private static final String ROOT = "org.dl4jquant.";

    private static final String JNA = "com.sun.jna.";

    /** What every package may use. */
    private static final Set<String> LIBRARIES =
            Set.of(
                    "java.",
                    "org.jspecify.annotations.",
                    "com.google.errorprone.annotations.",
                    "org.dl4jquant.check.",
                    "org.dl4jquant.files.");

    private static final String JACKSON = "org.nd4j.shade.jackson.";

    private static final String SLF4J = "org.slf4j.";

    /** What each package may use beside that and itself. A change here changes the architecture. */
    private static final Map<String, Set<String>> MAY_USE =
            Map.of(
                    "cuda.driver",
                    Set.of(JNA),
                    "cuda.kernel",
                    Set.of("numeric", "scheme", "graph", "graph.node"),
                    "cuda.plan",
                    Set.of("numeric", "scheme", "graph", "graph.node", "cuda.kernel"),
                    "cuda",
                    Set.of(
                            "numeric",
                            "scheme",
                            "graph",
                            "graph.node",
                            "engine",
                            "cuda.driver",
                            "cuda.kernel",
                            "cuda.plan",
                            JACKSON,
                            SLF4J));

    private static final JavaClasses MAIN =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT + "cuda");

    @Test
    void everyClassObeysTheTable() {
        assertTrue(MAIN.contain(ROOT + "cuda.driver.LibCuda"));
        assertEquals(List.of(), violations(MAIN));
    }

    @Test
    void seesWhatIsForbidden() {
        // Tests load emulated kernels by JNA, from the package of the kernels.
        JavaClasses tests =
                new ClassFileImporter()
                        .withImportOption(new ImportOption.OnlyIncludeTests())
                        .importPackages(ROOT + "cuda.kernel");
        assertTrue(
                violations(tests)
                        .contains(
                                "org.dl4jquant.cuda.kernel.EmulatedKernel may not use"
                                        + " com.sun.jna.Pointer"));
    }

    @Test
    void everyPackageIsNullMarked() {
        assertEquals(
                List.of(),
                MAIN.stream()
                        .filter(type -> !type.getPackage().isAnnotatedWith(NullMarked.class))
                        .map(JavaClass::getName)
                        .toList());
    }

    private static List<String> violations(JavaClasses classes) {
        Set<String> found = new TreeSet<>();
        for (JavaClass type : classes) {
            String from = name(type);
            Set<String> mayUse = MAY_USE.get(from);
            if (mayUse == null) {
                found.add("package \"" + from + "\" is not in the table");
                continue;
            }
            for (Dependency use : type.getDirectDependenciesFromSelf()) {
                JavaClass target = use.getTargetClass().getBaseComponentType();
                if (!target.isPrimitive() && !allowed(from, mayUse, target)) {
                    found.add(type.getName() + " may not use " + target.getName());
                }
            }
        }
        return List.copyOf(found);
    }

    private static boolean allowed(String from, Set<String> mayUse, JavaClass target) {
        String to = target.getName();
        if (LIBRARIES.stream().anyMatch(to::startsWith)) {
            return true;
        }
        return to.startsWith(ROOT)
                ? name(target).equals(from) || mayUse.contains(name(target))
                : mayUse.stream()
                        .anyMatch(library -> library.endsWith(".") && to.startsWith(library));
    }

    private static String name(JavaClass type) {
        return type.getPackageName().substring(ROOT.length());
    }
}
