// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** README and docs: every Java snippet compiles and runs, links and named classes exist. */
final class DocumentationTest {

    private static final Path TOP = Path.of("..");

    /** About a screen to start with, and two to read. */
    private static final int README_LINES = 180;

    private static final int README_WORDS = 930;

    /** The context of each page's snippets; a test of the CUDA module holds docs/gpu.md. */
    private static final Map<String, Class<? extends JavaSnippet.Context>> CONTEXTS =
            Map.of(
                    "training.md", Contexts.Training.class,
                    "mixed-precision.md", Contexts.Search.class);

    private static final Set<String> ELSEWHERE = Set.of("README.md", "gpu.md");

    @Test
    void theReadmesSnippetsRunOneAfterAnother() throws IOException {
        Markdown readme = Markdown.read(TOP.resolve("README.md"));
        List<Markdown.Block> blocks = readme.blocks("java");
        assertTrue(blocks.size() >= 3, "README.md has " + blocks.size() + " Java snippets");
        String code = blocks.stream().map(Markdown.Block::text).collect(Collectors.joining("\n"));
        JavaSnippet.compile("README.md", code, Contexts.Readme.class).run();
    }

    @TestFactory
    Stream<DynamicTest> everySnippetOfAPageRunsByItself() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (Markdown page : Markdown.all(TOP)) {
            for (Markdown.Block block : page.blocks("java")) {
                String where = page.name() + ":" + block.line();
                if (!ELSEWHERE.contains(page.name())) {
                    tests.add(DynamicTest.dynamicTest(where, () -> run(page, where, block)));
                }
            }
        }
        assertTrue(tests.size() >= 8, tests.size() + " snippets");
        return tests.stream();
    }

    private static void run(Markdown page, String where, Markdown.Block block) {
        Class<? extends JavaSnippet.Context> context = CONTEXTS.get(page.name());
        assertTrue(context != null, where + ": name the context of this page's snippets here");
        assertTrue(block.text().startsWith("import "), where + ": a snippet has its imports");
        JavaSnippet.compile(where, block.text(), context).run();
    }

    @Test
    void everyRelativeLinkLeadsToAFileAndItsAnchorToAHeading() throws IOException {
        List<String> broken = new ArrayList<>();
        int links = 0;
        for (Markdown page : Markdown.all(TOP)) {
            for (String link : page.links()) {
                if (!link.startsWith("http")) {
                    links++;
                    if (!leadsSomewhere(page, link)) {
                        broken.add(page.name() + ": " + link);
                    }
                }
            }
        }
        assertEquals(List.of(), broken);
        assertTrue(links >= 15, links + " links");
    }

    private static boolean leadsSomewhere(Markdown page, String link) throws IOException {
        int hash = link.indexOf('#');
        String path = hash < 0 ? link : link.substring(0, hash);
        Path target = path.isEmpty() ? page.file() : page.file().resolveSibling(path);
        return Files.exists(target)
                && (hash < 0 || Markdown.read(target).anchors().contains(link.substring(hash + 1)));
    }

    @Test
    void everyPageOfDocsIsLinkedFromTheReadme() throws IOException {
        Set<String> linked = new TreeSet<>(Markdown.read(TOP.resolve("README.md")).links());
        for (Markdown page : Markdown.all(TOP)) {
            if (page.file().getParent().endsWith("docs")) {
                assertTrue(linked.contains("docs/" + page.name()), page.name());
            }
        }
    }

    @Test
    void everyMainClassThatACommandNamesExists() throws IOException {
        Pattern named = Pattern.compile("-Dexec\\.mainClass=([\\w.]+)");
        int commands = 0;
        for (Markdown page : Markdown.all(TOP)) {
            Matcher matcher = named.matcher(page.text());
            while (matcher.find()) {
                commands++;
                String source = matcher.group(1).replace('.', '/') + ".java";
                Path examples = TOP.resolve("dl4j-quant-examples").resolve("src");
                assertTrue(
                        Files.exists(examples.resolve("main/java").resolve(source)),
                        page.name() + " names " + matcher.group(1));
            }
        }
        assertTrue(commands >= 3, commands + " commands");
    }

    @Test
    void theReadmeIsShort() throws IOException {
        Markdown readme = Markdown.read(TOP.resolve("README.md"));
        long words = Stream.of(readme.text().split("\\s+")).count();
        assertTrue(readme.lines().size() <= README_LINES, readme.lines().size() + " lines");
        assertTrue(words <= README_WORDS, words + " words");
    }

    @Test
    void theReadmeNamesTheVersionsOfTheBuild() throws IOException {
        String pom = Files.readString(TOP.resolve("pom.xml"));
        String readme = Files.readString(TOP.resolve("README.md"));
        for (String property : List.of("dl4j", "onnxruntime", "logback")) {
            Matcher version = Pattern.compile("<" + property + "\\.version>([^<]+)<").matcher(pom);
            assertTrue(version.find(), property);
            assertTrue(
                    readme.contains("<version>" + version.group(1) + "</version>"),
                    property + " " + version.group(1));
        }
        Matcher own = Pattern.compile("<version>([^<]+)</version>").matcher(pom);
        assertTrue(own.find());
        assertTrue(
                readme.contains(
                        "<artifactId>dl4j-quant-core</artifactId><version>" + own.group(1) + "<"),
                own.group(1));
    }
}
