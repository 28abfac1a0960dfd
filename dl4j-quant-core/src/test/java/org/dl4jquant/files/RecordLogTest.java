// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordLogTest {

    private static final String HEADER = "letters 2";

    /* 3 MB: larger than what is read in one piece. */
    private static final String LARGE = "l".repeat(3 << 20);

    @TempDir Path folder;

    private Path file;
    private final List<String> seen = new ArrayList<>();

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("log");
    }

    private RecordLog open() throws IOException {
        seen.clear();
        return RecordLog.open(
                file,
                HEADER,
                "holds no letters",
                (position, record) -> seen.add(UTF_8.decode(record.duplicate()).toString()));
    }

    private void write(String... records) throws IOException {
        try (RecordLog log = open()) {
            for (String record : records) {
                log.add(ByteBuffer.wrap(record.getBytes(UTF_8)));
            }
        }
    }

    @Test
    void recordsAreReadBack() throws IOException {
        write("a", "", LARGE);
        try (RecordLog log = open()) {
            assertEquals(List.of("a", "", LARGE), seen);
            long position = log.add(ByteBuffer.wrap("more".getBytes(UTF_8)));
            assertEquals("more", UTF_8.decode(log.read(position, 4)).toString());
        }
        open().close();
        assertEquals(List.of("a", "", LARGE, "more"), seen);
    }

    @Test
    void whereverAFileIsCutItsWholeRecordsStay() throws IOException {
        write("first", "second");
        byte[] whole = Files.readAllBytes(file);
        int first = HEADER.length() + 1 + 5 + 8;
        for (int length = 0; length <= whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            List<String> said = WholeFileTest.warnings(() -> open().close());
            List<String> expected =
                    List.of("first", "second")
                            .subList(0, length == whole.length ? 2 : length >= first ? 1 : 0);
            assertEquals(expected, seen);
            boolean cut = length > HEADER.length() + 1 && length != first && length < whole.length;
            assertEquals(cut ? 1 : 0, said.size(), said::toString);
        }
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

    private void survives(int count) throws IOException {
        String[] records =
                IntStream.range(0, 40)
                        .mapToObj(i -> String.format(Locale.ROOT, "record %d", i * i))
                        .toArray(String[]::new);
        write(records);
        Mutations.survive(
                Files.readAllBytes(file),
                count,
                bytes -> {
                    Files.write(file, bytes);
                    open().close();
                    List<String> known = Arrays.asList(records);
                    return known.containsAll(seen) ? "" : seen.toString();
                });
    }

    @Test
    void aLargeClaimIsCheckedBeforeThereIsMemoryForIt() throws IOException {
        int claim = 64 << 20;
        write("first");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            long end = channel.size();
            channel.write(ByteBuffer.allocate(4).putInt(0, claim), end);
            channel.write(ByteBuffer.allocate(1), end + claim + 100); // a sparse file
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        open().close();
        assertTrue(threads.getCurrentThreadAllocatedBytes() - before < claim / 4);
        assertEquals(List.of("first"), seen);
    }

    @Test
    void refusesAFileOfSomethingElseAndLeavesIt() throws IOException {
        Files.writeString(file, "letters 1\nand more");
        assertEquals(
                file + " holds no letters",
                assertThrows(IllegalArgumentException.class, this::open).getMessage());
        assertEquals("letters 1\nand more", Files.readString(file));
    }

    @Test
    void refusesASecondWriter() throws IOException {
        try (RecordLog log = open()) {
            log.add(ByteBuffer.wrap("a".getBytes(UTF_8)));
            String refused = assertThrows(IllegalStateException.class, this::open).getMessage();
            assertTrue(refused.contains("is written by another process"), refused);
        }
        open().close();
        assertEquals(List.of("a"), seen);
    }

    @Test
    void aRecordThatIsChangedWhileTheFileIsOpenIsNoticed() throws IOException {
        try (RecordLog log = open()) {
            long position = log.add(ByteBuffer.wrap("letter".getBytes(UTF_8)));
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length - 6] ^= 1;
            Files.write(file, bytes);
            String refused =
                    assertThrows(IOException.class, () -> log.read(position, 6)).getMessage();
            assertTrue(refused.contains("the record at byte 10 is damaged"), refused);
            assertThrows(IOException.class, () -> log.read(position, 1000));
        }
    }

    @Test
    void whatTheVisitorRefusesIsCutOff() throws IOException {
        write("a", "b", "c");
        RecordLog.open(file, HEADER, "", (position, record) -> record.get(record.position()) != 'b')
                .close();
        open().close();
        assertEquals(List.of("a"), seen);
        assertArrayEquals(
                (HEADER + "\n").getBytes(UTF_8),
                Arrays.copyOf(Files.readAllBytes(file), HEADER.length() + 1));
    }
}
