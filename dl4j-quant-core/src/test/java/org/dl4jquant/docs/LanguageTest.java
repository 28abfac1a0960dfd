// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Sources and documentation keep to the word list of CONTRIBUTING.md. */
final class LanguageTest {

    private static final Path TOP = Path.of("..");

    /** Words for which the field has others: after, image, out of the box. */
    private static final Pattern WORDS =
            Pattern.compile("\\bbehind\\b|\\b[Pp]ictures?\\b|\\bas it comes\\b");

    /** Phrases without a head noun, where a reader looks for one. */
    private static final Pattern HEADLESS =
            Pattern.compile(
                    "(?:@return|@param \\S+|/\\*\\*) [Ww]hat\\b|\\b[Ww]hat (?:becomes|became) of\\b");

    /** The word list names the words, and the list of renamed classes their old names. */
    private static final Set<String> LISTS = Set.of("CONTRIBUTING.md", "UPGRADING.md");

    @Test
    void wordsAreThoseOfTheField() throws IOException {
        assertEquals(List.of(), found(WORDS));
    }

    @Test
    void phrasesHaveANoun() throws IOException {
        assertEquals(List.of(), found(HEADLESS));
    }

    @Test
    void theRulesFindWhatTheyAreFor() {
        assertTrue(WORDS.matcher("the layer be" + "hind it").find());
        assertTrue(HEADLESS.matcher("{@return wh" + "at rounds a tensor}").find());
        assertTrue(HEADLESS.matcher("logs wh" + "at became of it").find());
        assertEquals(0, WORDS.matcher("the layer after it, an image").results().count());
        assertEquals(
                0, HEADLESS.matcher("{@return the rounder} says what is wrong").results().count());
    }

    private static List<String> found(Pattern rule) throws IOException {
        List<String> found = new ArrayList<>();
        int files = 0;
        for (Path file : texts()) {
            files++;
            List<String> lines = Files.readAllLines(file);
            for (int i = 0; i < lines.size(); i++) {
                int line = i;
                rule.matcher(lines.get(i))
                        .results()
                        .forEach(hit -> found.add(file + ":" + (line + 1) + ": " + hit.group()));
            }
        }
        assertTrue(files > 400, files + " files");
        return found;
    }

    /* The CUDA module is not checked yet. */
    private static List<Path> texts() throws IOException {
        List<Path> texts = new ArrayList<>();
        for (Markdown page : Markdown.all(TOP)) {
            if (!LISTS.contains(page.name())) {
                texts.add(page.file());
            }
        }
        for (String module : List.of("dl4j-quant-core", "dl4j-quant-examples")) {
            try (Stream<Path> files = Files.walk(TOP.resolve(module).resolve("src"))) {
                files.filter(file -> file.toString().endsWith(".java"))
                        .sorted()
                        .forEach(texts::add);
            }
        }
        return texts;
    }
}
