// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
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

/** The build runs every test of every module, and its tags are seen by those who run it. */
final class TestSourcesTest {

    /** The annotations of a member, one after another, each with or without arguments. */
    private static final Pattern ANNOTATIONS =
            Pattern.compile(
                    "(?:^ *@[\\w.]++(?:\\((?:[^()]++|\\([^()]*+\\))*+\\))?\\s*?\\n)++",
                    Pattern.MULTILINE);

    private static final Pattern OF_JUNIT =
            Pattern.compile("@(Test|ParameterizedTest|RepeatedTest|TestFactory)\\b");

    private static final Pattern OF_JQWIK = Pattern.compile("@(Property|Example)\\b");

    private static final Pattern ABSTRACT =
            Pattern.compile("^public abstract class ", Pattern.MULTILINE);

    private static final String JUNIT_TAG = "org.junit.jupiter.api.Tag";

    private static final String JQWIK_TAG = "net.jqwik.api.Tag";

    @Test
    void everyTestIsRunAndItsTagsAreSeen() throws IOException {
        List<String> faults = new ArrayList<>();
        int files = 0;
        for (Path file : sources()) {
            faults.addAll(faults(file.getFileName().toString(), Files.readString(file)));
            files++;
        }
        assertEquals(List.of(), faults);
        assertTrue(files > 100, files + " test sources");
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of(".."))) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(
                            file ->
                                    file.toString()
                                            .replace('\\', '/')
                                            .matches(".*/src/(test/java|spark/test)/.*"))
                    .sorted()
                    .toList();
        }
    }

    private static List<String> faults(String file, String source) {
        List<String> faults = new ArrayList<>();
        Matcher annotations = ANNOTATIONS.matcher(source);
        boolean tests = false;
        while (annotations.find()) {
            String all = annotations.group();
            boolean junit = OF_JUNIT.matcher(all).find();
            boolean jqwik = OF_JQWIK.matcher(all).find();
            tests |= junit || jqwik;
            if (jqwik && hasTag(JUNIT_TAG, all, source)) {
                faults.add(file + ": jqwik does not see the tag of JUnit; use " + JQWIK_TAG);
            }
            if (junit && hasTag(JQWIK_TAG, all, source)) {
                faults.add(file + ": JUnit does not see the tag of jqwik; use " + JUNIT_TAG);
            }
        }
        if (tests && !file.endsWith("Test.java") && !ABSTRACT.matcher(source).find()) {
            faults.add(file + ": the build runs classes whose names end with Test, and only they");
        }
        return faults;
    }

    private static boolean hasTag(String tag, String annotations, String source) {
        return annotations.contains("@" + tag + "(")
                || (annotations.contains("@Tag(") && source.contains("import " + tag + ";"));
    }

    @Test
    void seesPlantedFaults() {
        String property = "    @Tag(\"thorough\")\n    @Property(tries = 9)\n    void law() {}\n";
        String test = "    @Test\n    @Tag(\"thorough\")\n    void works() {}\n";
        String imports = "import " + JUNIT_TAG + ";\n";
        assertEquals(
                List.of("ATest.java: jqwik does not see the tag of JUnit; use " + JQWIK_TAG),
                faults("ATest.java", imports + property + test));
        assertEquals(
                List.of("ATest.java: JUnit does not see the tag of jqwik; use " + JUNIT_TAG),
                faults("ATest.java", "import " + JQWIK_TAG + ";\n" + property + test));
        assertEquals(
                List.of(
                        "Laws.java: the build runs classes whose names end with Test, and only"
                                + " they"),
                faults("Laws.java", imports + test));
        assertEquals(List.of(), faults("Laws.java", "public abstract class Laws {\n" + test));
        assertEquals(
                List.of(),
                faults("ATest.java", imports + property.replace("@Tag", "@" + JQWIK_TAG) + test));
    }
}
