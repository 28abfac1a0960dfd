// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.dl4jquant.onnx.OnnxReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HelloQuantizationTest {

    private static final Path README = Path.of("..", "README.md");
    private static final Path SOURCE =
            Path.of("src/main/java/org/dl4jquant/examples/HelloQuantization.java");

    @Test
    void runsAndLeavesAnOnnxFile(@TempDir Path folder) {
        Path onnx = folder.resolve("model.onnx");
        HelloQuantization.main(new String[] {onnx.toString()});
        assertEquals(List.of("output"), OnnxReader.read(onnx).outputs());
    }

    @Test
    void theReadmeShowsLinesOfThisExample() throws IOException {
        String readme = Files.readString(README);
        int begin = readme.indexOf("```java\n") + "```java\n".length();
        String shown = readme.substring(begin, readme.indexOf("```", begin));
        assertTrue(shown.lines().count() >= 15, shown);
        assertTrue(
                unindented(Files.readString(SOURCE)).contains(unindented(shown)),
                "README.md shows other code than HelloQuantization.java:\n" + shown);
    }

    @Test
    void theReadmeBeginsWithTheTwoCommands() throws IOException {
        List<String> blocks = blocks(Files.readString(README));
        assertTrue(blocks.get(0).contains("-Pquickstart compile"), blocks.get(0));
        assertTrue(blocks.get(1).contains("verify"), blocks.get(1));
        assertEquals(1, blocks.get(0).lines().count());
        assertEquals(1, blocks.get(1).lines().count());
    }

    private static List<String> blocks(String markdown) {
        List<String> parts = List.of(markdown.split("(?m)^```[a-z]*$", -1));
        return java.util.stream.IntStream.range(0, parts.size())
                .filter(i -> i % 2 == 1)
                .mapToObj(i -> parts.get(i).strip())
                .toList();
    }

    private static String unindented(String text) {
        return text.lines().map(String::strip).collect(Collectors.joining("\n")).strip();
    }
}
