// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/**
 * The classes that were compiled obey the architecture; planted faults show that the check sees
 * them.
 */
final class ArchitectureTest {

    private static final String ROOT = "org.dl4jquant";

    private static final String PLANTED = ROOT + ".planted";

    private static final Pattern BANNED =
            Pattern.compile("(Base|Abstract)\\p{Lu}.*|.*(Impl|Util|Utils|Helper|Manager)");

    private static final JavaClasses CORE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    @Test
    void everyClassObeysThePackageTable() {
        assertFalse(CORE.isEmpty());
        assertEquals(List.of(), PackageTable.ofCore().violations(CORE, ROOT));
    }

    @Test
    void theTableListsThePackagesThatExist() {
        Set<String> found =
                CORE.stream()
                        .map(type -> type.getPackageName().replaceFirst("org.dl4jquant[.]?", ""))
                        .collect(Collectors.toCollection(TreeSet::new));
        Set<String> listed =
                PackageTable.ofCore().packages().stream()
                        .map(row -> row.replace(" P", ""))
                        .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(found, listed);
    }

    @Test
    void theRootPackageShowsTheTable() throws IOException {
        Matcher row =
                Pattern.compile("<tr><td>([\\w.]+)</td><td>(P?)</td>")
                        .matcher(
                                Files.readString(
                                        Path.of("src/main/java/org/dl4jquant/package-info.java")));
        List<String> shown = new ArrayList<>();
        while (row.find()) {
            shown.add((row.group(1) + " " + row.group(2)).strip());
        }
        shown.add("");
        assertEquals(shown, PackageTable.ofCore().packages());
    }

    @Test
    void everyPackageIsNullMarked() {
        assertEquals(
                List.of(),
                names(CORE, type -> !type.getPackage().isAnnotatedWith(NullMarked.class)));
    }

    @Test
    void noTypeHasANameThatSaysNothing() {
        assertEquals(List.of(), names(CORE, ArchitectureTest::isBanned));
    }

    @Test
    void seesPlantedFaults() {
        JavaClasses planted = new ClassFileImporter().importPackages(PLANTED);
        assertEquals(
                List.of(
                        PLANTED
                                + ".numeric.UsesNd4j may not use org.nd4j.linalg.api.ndarray.INDArray",
                        PLANTED + ".numeric.UsesScheme may not use " + PLANTED + ".scheme.Innocent",
                        PLANTED + ".scheme.UsesRoot may not use " + PLANTED + ".BaseOfPlanted",
                        "package \"unheard\" is not in the table"),
                PackageTable.ofCore().violations(planted, PLANTED));
        assertEquals(
                List.of(PLANTED + ".BaseOfPlanted"), names(planted, ArchitectureTest::isBanned));
    }

    private static boolean isBanned(JavaClass type) {
        return BANNED.matcher(type.getSimpleName()).matches();
    }

    private static List<String> names(JavaClasses classes, Predicate<JavaClass> which) {
        return classes.stream().filter(which).map(JavaClass::getName).sorted().toList();
    }
}
