// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.dl4jquant.files.Mutations;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnswerCacheTest {

    private static final int FIRST_RECORD = "dl4j-quant teacher answers 2 abc\n".length();

    @TempDir private Path folder;

    private static AnswerCache.Example example(int number) {
        byte[] digest = new byte[32];
        digest[31] = (byte) number;
        return AnswerCache.Example.of(digest);
    }

    private static float[] answer(int number) {
        return new float[] {number, -0.5f * number, Float.MIN_VALUE};
    }

    private static void require(AnswerCache cache, int number) {
        assertArrayEquals(answer(number), cache.get(example(number)));
    }

    @Test
    void memoryKeepsWhatItHasRoomFor() {
        try (AnswerCache cache = AnswerCache.inMemory(2)) {
            for (int i = 1; i <= 3; i++) {
                cache.put(example(i), answer(i));
            }
            require(cache, 1);
            require(cache, 2);
            assertNull(cache.get(example(3)));
        }
    }

    @Test
    void aFileIsReadAgain() {
        Path file = folder.resolve("answers");
        try (AnswerCache cache = AnswerFile.open(file, "abc")) {
            cache.put(example(1), answer(1));
            cache.put(example(2), answer(2));
            cache.put(example(1), answer(9));
            require(cache, 1);
        }
        try (AnswerCache cache = AnswerFile.open(file, "abc")) {
            require(cache, 1);
            require(cache, 2);
            assertNull(cache.get(example(3)));
        }
    }

    @Test
    void aRecordThatWasCutOffIsWrittenAgain() throws IOException {
        Path file = folder.resolve("answers");
        try (AnswerCache cache = AnswerFile.open(file, "abc")) {
            cache.put(example(1), answer(1));
            cache.put(example(2), answer(2));
        }
        byte[] whole = Files.readAllBytes(file);
        int second = FIRST_RECORD + (whole.length - FIRST_RECORD) / 2;
        for (int length = second; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            try (AnswerCache cache = AnswerFile.open(file, "abc")) {
                require(cache, 1);
                assertNull(cache.get(example(2)));
                cache.put(example(2), answer(2));
            }
            assertArrayEquals(whole, Files.readAllBytes(file));
        }
    }

    @Test
    void refusesAnotherTeachersFileAndLeavesItAsItIs() throws IOException {
        Path file = folder.resolve("answers");
        AnswerFile.open(file, "abc").close();
        byte[] before = Files.readAllBytes(file);

        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> AnswerFile.open(file, "abd"));

        assertEquals(
                file
                        + " does not hold answers of this teacher to these layers; delete it, or"
                        + " name another file",
                e.getMessage());
        assertArrayEquals(before, Files.readAllBytes(file));
    }

    @Test
    void refusesAFileOfSomethingElse() throws IOException {
        Path file = Files.writeString(folder.resolve("notes"), "not answers");

        assertThrows(IllegalArgumentException.class, () -> AnswerFile.open(file, "abc"));
        assertEquals("not answers", Files.readString(file));
    }

    @Test
    void saysWhichFileCannotBeOpened() {
        Path file = folder.resolve("no-such-folder").resolve("answers");

        UncheckedIOException e =
                assertThrows(UncheckedIOException.class, () -> AnswerFile.open(file, "abc"));

        assertEquals(
                "the cache of the teacher's answers cannot be opened: " + file, e.getMessage());
        assertNotNull(e.getCause());
    }

    @Test
    void differentExamplesHaveDifferentKeys() {
        assertTrue(!example(1).equals(example(2)));
    }

    @Test
    void twoUsersOfOneFileFindEachOthersAnswersAndTheirOwn() {
        Path file = folder.resolve("answers");
        AnswerCache first = AnswerFile.open(file, "abc");
        try (AnswerCache second = AnswerFile.open(file, "abc")) {
            for (int i = 0; i < 50; i++) {
                (i % 2 == 0 ? first : second).put(example(i), answer(i));
            }
            first.close();
            first.close();
            for (int i = 0; i < 50; i++) {
                require(second, i);
            }
        }
        try (AnswerCache cache = AnswerFile.open(file, "abc")) {
            for (int i = 0; i < 50; i++) {
                require(cache, i);
            }
        }
    }

    @Test
    void refusesAnotherTeacherWhileAFileIsOpenHere() {
        Path file = folder.resolve("answers");
        try (AnswerCache open = AnswerFile.open(file, "abc")) {
            open.put(example(1), answer(1));
            assertThrows(IllegalArgumentException.class, () -> AnswerFile.open(file, "abd"));
            require(open, 1);
        }
        AnswerFile.open(file, "abc").close();
    }

    @Test
    void noDamageGoesUnseen() throws IOException {
        survives(Mutations.FEW);
    }

    @Test
    @Tag("thorough")
    void noDamageOfManyGoesUnseen() throws IOException {
        survives(Mutations.MANY);
    }

    /* Each answer is the one that was given, or is asked for again. */
    private void survives(int count) throws IOException {
        Path file = folder.resolve("answers");
        try (AnswerCache cache = AnswerFile.open(file, "abc")) {
            for (int i = 0; i < 12; i++) {
                cache.put(example(i), answer(i));
            }
        }
        Mutations.survive(
                Files.readAllBytes(file),
                count,
                bytes -> {
                    Files.write(file, bytes);
                    try (AnswerCache cache = AnswerFile.open(file, "abc")) {
                        for (int i = 0; i < 12; i++) {
                            float[] found = cache.get(example(i));
                            if (found != null && !Arrays.equals(answer(i), found)) {
                                return "answer " + i + " is " + Arrays.toString(found);
                            }
                        }
                    }
                    return "";
                });
    }
}
