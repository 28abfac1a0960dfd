// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A page of the documentation: its code blocks, links and anchors.
 *
 * @param file the page
 * @param lines all lines
 */
public record Markdown(Path file, List<String> lines) {

    private static final Pattern FENCE = Pattern.compile(" *```(\\w*) *");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("#{1,6} +(.*)");

    /**
     * A code block.
     *
     * @param language the word after the opening fence; may be empty
     * @param line the line of the opening fence, from 1
     * @param text the lines between the fences
     */
    public record Block(String language, int line, String text) {}

    /**
     * {@return a page}
     *
     * @param file where it is
     */
    public static Markdown read(Path file) throws IOException {
        return new Markdown(file, Files.readAllLines(file));
    }

    /**
     * {@return all pages of the documentation: those of the top folder and of docs}
     *
     * @param top the top folder of the project
     */
    public static List<Markdown> all(Path top) throws IOException {
        List<Markdown> pages = new ArrayList<>();
        for (Path folder : List.of(top, top.resolve("docs"))) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".md")).sorted().toList()) {
                    pages.add(read(file));
                }
            }
        }
        return pages;
    }

    /** {@return the page's name, such as README.md} */
    public String name() {
        return file.getFileName().toString();
    }

    /** {@return the page as one text} */
    public String text() {
        return String.join("\n", lines) + "\n";
    }

    /** {@return the code blocks, in order} */
    public List<Block> blocks() {
        List<Block> blocks = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        String language = "";
        int begin = 0;
        for (int i = 0; i < lines.size(); i++) {
            Matcher fence = FENCE.matcher(lines.get(i));
            if (!fence.matches()) {
                text.append(lines.get(i)).append('\n');
            } else if (begin == 0) {
                begin = i + 1;
                language = fence.group(1);
                text.setLength(0);
            } else {
                blocks.add(new Block(language, begin, text.toString()));
                begin = 0;
            }
        }
        if (begin > 0) {
            throw new IllegalStateException(file + ":" + begin + ": this code block has no end");
        }
        return blocks;
    }

    /**
     * {@return the code blocks of a language, in order}
     *
     * @param language such as java
     */
    public List<Block> blocks(String language) {
        return blocks().stream().filter(block -> block.language().equals(language)).toList();
    }

    /** {@return the targets of all links outside of code blocks} */
    public List<String> links() {
        return prose().stream()
                .flatMap(line -> LINK.matcher(line).results().map(found -> found.group(1)))
                .toList();
    }

    /** {@return the anchors of all headings, as the usual hosts of Markdown name them} */
    public Set<String> anchors() {
        Set<String> anchors = new HashSet<>();
        for (String line : prose()) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches()) {
                anchors.add(
                        heading.group(1)
                                .toLowerCase(Locale.ROOT)
                                .replaceAll("[^\\w\\- ]", "")
                                .replace(' ', '-'));
            }
        }
        return anchors;
    }

    /** {@return the lines outside of code blocks} */
    public List<String> prose() {
        List<String> prose = new ArrayList<>();
        boolean code = false;
        for (String line : lines) {
            if (FENCE.matcher(line).matches()) {
                code = !code;
            } else if (!code) {
                prose.add(line);
            }
        }
        return prose;
    }
}
