// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LineLogTest {

    private static final String HEADER = "{\"format\":\"letters 2\"}";

    @TempDir Path folder;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("log");
    }

    private LineLog open() throws IOException {
        return LineLog.withHeader(file, "letters", HEADER);
    }

    @Test
    void linesAreReadBackInTheirOrder() throws IOException {
        LineLog log = open();
        assertEquals(List.of(), log.lines());
        assertFalse(Files.exists(file), "nothing was added yet");
        log.add(List.of("a", "b"));
        log.addToDisk("ü");
        assertEquals(List.of("a", "b", "ü"), log.lines());
        assertEquals(List.of("a", "b", "ü"), open().lines());
        assertEquals(HEADER + "\na\nb\nü\n", Files.readString(file));
    }

    @Test
    void namesAFolderThatStandsInItsPlace() throws IOException {
        Files.createDirectory(file);
        IOException refused = assertThrows(IOException.class, this::open);
        assertEquals(file + " is a folder, not a file", refused.getMessage());
    }

    @Test
    void whereverAFileIsCutItsWholeLinesStay() throws IOException {
        open().add(List.of("first", "second"));
        String whole = Files.readString(file);
        int first = HEADER.length() + 1;
        for (int length = 0; length <= whole.length(); length++) {
            Files.writeString(file, whole.substring(0, length));
            List<String> expected = new ArrayList<>();
            if (length >= first + 6) {
                expected.add("first");
            }
            if (length == whole.length()) {
                expected.add("second");
            }
            boolean cut = length > 0 && whole.charAt(length - 1) != '\n';
            List<String> said =
                    WholeFileTest.warnings(() -> assertEquals(expected, open().lines()));
            assertEquals(cut ? 1 : 0, said.size(), said::toString);
            open().add(List.of("new"));
            expected.add("new");
            assertEquals(expected, open().lines());
        }
    }

    @Test
    void aHalfLineThatAnotherProcessLeftMeanwhileIsCutBeforeAnAddition() throws IOException {
        LineLog log = open();
        log.add(List.of("a"));
        Files.writeString(file, Files.readString(file) + "half a li");
        List<String> said = WholeFileTest.warnings(() -> log.add(List.of("b")));
        assertEquals(List.of("a", "b"), log.lines());
        assertTrue(said.get(0).contains("its last 9 bytes are cut off"), said::toString);
    }

    @Test
    void linesThatWindowsEndedAreRead() throws IOException {
        Files.writeString(file, HEADER + "\r\na\r\nb\r\n");
        assertEquals(List.of("a", "b"), open().lines());
        open().add(List.of("c"));
        assertEquals(List.of("a", "b", "c"), open().lines());
    }

    @Test
    void refusesAFileOfSomethingElseAndLeavesIt() throws IOException {
        for (String other :
                List.of(
                        "notes without an end",
                        "a\nb\n",
                        HEADER + "x\n",
                        "{\"format\":\"letters 1\"}\n")) {
            Files.writeString(file, other);
            String refused = assertThrows(IllegalArgumentException.class, this::open).getMessage();
            assertEquals(
                    file
                            + " holds something else than letters, whose first line is "
                            + HEADER
                            + "; name another file, or delete it",
                    refused);
            assertEquals(other, Files.readString(file));
        }
    }

    @Test
    void refusesALineWithAnEndInside() throws IOException {
        LineLog log = open();
        assertThrows(IllegalArgumentException.class, () -> log.add(List.of("a\nb")));
        assertFalse(Files.exists(file));
    }

    @Test
    void saysWhichFileCannotBeAddedTo() throws IOException {
        file = folder.resolve("none").resolve("log");
        LineLog log = open();
        String refused = assertThrows(IOException.class, () -> log.add(List.of("a"))).getMessage();
        assertTrue(refused.startsWith("cannot add to " + file), refused);
    }

    @Test
    void whatManyThreadsAddIsThereAsWholeLines() throws IOException {
        IntStream.range(0, 64)
                .parallel()
                .forEach(
                        i -> {
                            try {
                                open().add(List.of("x".repeat(i), "y".repeat(i)));
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        });
        List<String> lines = open().lines();
        assertEquals(128, lines.size());
        for (int i = 0; i < lines.size(); i += 2) {
            assertEquals(lines.get(i).replace('x', 'y'), lines.get(i + 1));
        }
    }
}
