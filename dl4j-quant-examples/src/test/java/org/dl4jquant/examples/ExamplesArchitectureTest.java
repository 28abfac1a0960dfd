// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Which packages of the examples may use which, and the form of an example to copy from. It reads
 * the sources, so that it includes those that are compiled with Spark only.
 */
final class ExamplesArchitectureTest {

    private static final String ROOT = "org.dl4jquant.examples";

    private static final List<Path> SOURCES =
            List.of(Path.of("src/main/java"), Path.of("src/spark/java"));

    /* DL4J's own examples have 122 lines in the median. */
    private static final int MOST_LINES = 150;

    /* Each uses only packages before it. */
    private static final List<String> ORDER =
            List.of("data", "model", "support", "cli", "benchmark", "benchmark.speed", "gpu");

    /* The packages that an example to copy from may use. */
    private static final List<String> FOR_EXAMPLES = List.of("data", "model", "support");

    private static final Pattern REFERENCE =
            Pattern.compile("^import (?:static )?org\\.dl4jquant\\.examples\\.([a-z.]*)\\.?[A-Z]");

    @Test
    void packagesUseOnlyThoseBeforeThem() throws IOException {
        for (Path file : files(List.of())) {
            List<String> allowed = allowed(packageOf(file));
            for (String line : Files.readAllLines(file)) {
                Matcher used = REFERENCE.matcher(line);
                if (used.find()) {
                    String name = used.group(1).replaceAll("\\.$", "");
                    assertTrue(allowed.contains(name), () -> file + ": " + line);
                }
            }
        }
    }

    private static List<String> allowed(String name) {
        if (name.isEmpty()) {
            return FOR_EXAMPLES;
        }
        assertTrue(ORDER.contains(name), () -> "package " + name + " has no place in the order");
        return ORDER.subList(0, ORDER.indexOf(name));
    }

    @Test
    void examplesParseNoOptionsAndCheckNoArguments() throws IOException {
        for (Path example : files(List.of(""))) {
            String text = Files.readString(example);
            assertFalse(text.contains("picocli"), example.toString());
            assertFalse(text.contains("Require"), example.toString());
        }
    }

    @Test
    void examplesAreShortAndSayHowToRunThemAndWhatTheyPrint() throws IOException {
        List<Path> examples = files(List.of(""));
        assertFalse(examples.isEmpty());
        for (Path example : examples) {
            List<String> lines = Files.readAllLines(example);
            assertTrue(lines.size() <= MOST_LINES, () -> example + ": " + lines.size() + " lines");
            String name = example.getFileName().toString().replace(".java", "");
            String text = String.join("\n", lines);
            assertTrue(text.contains("-Dexec.mainClass=" + ROOT + "." + name), example.toString());
            assertTrue(text.contains("public static void main("), example.toString());
            assertTrue(text.contains("<p>It prints"), () -> example + ": what does it print?");
        }
    }

    /* The classes of these packages, or of all. */
    private static List<Path> files(List<String> packages) throws IOException {
        List<Path> found = new ArrayList<>();
        for (Path folder : SOURCES) {
            try (Stream<Path> files = Files.walk(folder)) {
                files.filter(file -> file.toString().endsWith(".java"))
                        .filter(file -> !file.endsWith("package-info.java"))
                        .filter(file -> packages.isEmpty() || packages.contains(packageOf(file)))
                        .forEach(found::add);
            }
        }
        return found;
    }

    private static String packageOf(Path file) {
        String folder = file.getParent().toString().replace('\\', '/');
        int end = folder.indexOf(ROOT.replace('.', '/')) + ROOT.length();
        return folder.substring(Math.min(end + 1, folder.length())).replace('/', '.');
    }

    @Test
    void findsAnImportOfAnotherPackage() {
        Matcher used =
                REFERENCE.matcher("import org.dl4jquant.examples.benchmark.speed.FloatTask;");
        assertTrue(used.find());
        assertEquals("benchmark.speed.", used.group(1));
    }
}
