// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class HelloQuantizationTest {

    private static final Path README = Path.of("..", "README.md");
    private static final Path SOURCE =
            Path.of("src/main/java/org/dl4jquant/examples/HelloQuantization.java");

    @Test
    void theReadmeShowsLinesOfThisExample() throws IOException {
        String readme = Files.readString(README);
        int begin = readme.indexOf("```java\n") + "```java\n".length();
        String shown =
                readme.substring(begin, readme.indexOf("```", begin))
                        .lines()
                        .filter(line -> !line.startsWith("import "))
                        .collect(Collectors.joining("\n"));
        assertTrue(shown.lines().count() >= 15, shown);
        assertTrue(
                unindented(Files.readString(SOURCE)).contains(unindented(shown)),
                "README.md shows other code than HelloQuantization.java:\n" + shown);
    }

    @Test
    void theReadmeBeginsWithTheTwoCommands() throws IOException {
        String readme = Files.readString(README);
        int begin = readme.indexOf("```sh\n") + "```sh\n".length();
        List<String> commands =
                readme.substring(begin, readme.indexOf("```", begin)).lines().toList();
        assertEquals(2, commands.size());
        assertTrue(commands.get(0).contains("-Pquickstart compile"), commands.get(0));
        assertTrue(commands.get(1).contains("verify"), commands.get(1));
    }

    private static String unindented(String text) {
        return text.lines().map(String::strip).collect(Collectors.joining("\n")).strip();
    }
}
