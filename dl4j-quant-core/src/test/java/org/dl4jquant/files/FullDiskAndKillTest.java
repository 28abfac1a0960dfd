// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files after a process found the disk full, or was killed while it wrote. */
class FullDiskAndKillTest {

    private static final int MINUTES = 2;

    /* Blocks of 1024 bytes: more than some lines, less than what shall be written. */
    private static final int MOST_BLOCKS = 64;

    private static final byte[] FORMER = "the former file".getBytes(StandardCharsets.UTF_8);

    @TempDir Path folder;

    private Process start(String prefix, String mode, String... options) throws IOException {
        Path bash = Path.of("/bin/bash");
        assumeTrue(Files.exists(bash), "this system has no bash, which sets the limit");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> command = new ArrayList<>(List.of(bash.toString(), "-c"));
        command.add(prefix + " exec \"$0\" \"$@\"");
        // The JVM's own file of figures would be over the limit, too.
        command.addAll(List.of(java, "-Xmx128m", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(options));
        command.addAll(List.of(WritingProcess.class.getName(), mode, folder.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        String surefire = System.getProperty("surefire.test.class.path");
        String path = surefire == null ? System.getProperty("java.class.path") : surefire;
        builder.environment().put("CLASSPATH", path);
        return builder.start();
    }

    private static String output(Process process) throws IOException, InterruptedException {
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(MINUTES, TimeUnit.MINUTES), "the other process hangs");
        assertEquals(0, process.exitValue(), text);
        return text;
    }

    @Test
    void aFullDiskLeavesWhatWasThereAndWholeLines() throws Exception {
        Files.write(folder.resolve("whole"), FORMER);
        String said = output(start("ulimit -f " + MOST_BLOCKS + ";", "full"));
        assertArrayEquals(FORMER, Files.readAllBytes(folder.resolve("whole")));
        assertTrue(said.contains("whole: cannot write " + folder.resolve("whole")), said);
        assertTrue(said.contains("what was there before is unchanged"), said);
        int lines = MOST_BLOCKS * 1024 / (WritingProcess.LINE_LENGTH + 1);
        assertTrue(said.contains("lines: " + lines + System.lineSeparator()), said);
        int records = MOST_BLOCKS * 1024 / (WritingProcess.RECORD_BYTES + 8);
        assertTrue(said.contains("records: " + records + System.lineSeparator()), said);
        requireWhole(lines, records);
        assertEquals(List.of("lines", "records", "whole"), names());
    }

    private void requireWhole(int leastLines, int leastRecords) throws IOException {
        LineLog log = LineLog.withHeader(folder.resolve("lines"), "tests", WritingProcess.HEADER);
        List<String> lines = log.lines();
        assertTrue(lines.size() >= leastLines, () -> lines.size() + " lines");
        for (int i = 0; i < lines.size(); i++) {
            assertEquals(WritingProcess.line(i), lines.get(i));
        }
        List<byte[]> records = new ArrayList<>();
        RecordLog.Visitor keep =
                (position, record) -> {
                    byte[] bytes = new byte[record.remaining()];
                    record.get(bytes);
                    return records.add(bytes);
                };
        WritingProcess.records(folder.resolve("records"), keep).close();
        assertTrue(records.size() >= leastRecords, () -> records.size() + " records");
        for (int i = 0; i < records.size(); i++) {
            assertArrayEquals(WritingProcess.record(i), records.get(i));
        }
    }

    @Test
    void aKillLeavesWholeFiles() throws Exception {
        kill(2);
    }

    @Test
    @Tag("thorough")
    void manyKillsLeaveWholeFiles() throws Exception {
        kill(100);
    }

    private void kill(int times) throws Exception {
        Random random = new Random(5);
        int lines = 0;
        for (int i = 0; i < times; i++) {
            Process child = start("", "loop");
            try (BufferedReader said = child.inputReader(StandardCharsets.UTF_8)) {
                for (String line = said.readLine();
                        !WritingProcess.READY.equals(line);
                        line = said.readLine()) {
                    assertTrue(line != null, "the other process ended");
                }
                String refused =
                        assertThrows(
                                        IllegalStateException.class,
                                        () ->
                                                WritingProcess.records(
                                                        folder.resolve("records"),
                                                        (position, record) -> true))
                                .getMessage();
                assertTrue(refused.contains("is written by another process"), refused);
                Thread.sleep(random.nextInt(50));
                child.destroyForcibly().waitFor(MINUTES, TimeUnit.MINUTES);
            }
            byte[] found = Files.readAllBytes(folder.resolve("whole"));
            byte[] whole = new byte[(1 << 20) + found[0]];
            Arrays.fill(whole, found[0]);
            assertArrayEquals(whole, found);
            lines += 8;
            requireWhole(lines, lines / 2);
        }
        WholeFile.write(folder.resolve("whole"), FORMER);
        assertEquals(List.of("lines", "records", "whole"), names());
    }

    /* As on Windows. The names of a search's networks are digests of such a text. */
    @Test
    void aSpecIsTheSameTextOnPlatformsWithOtherLineEnds() throws Exception {
        output(start("", "spec", "-Dline.separator=\r\n"));
        String theirs = Files.readString(folder.resolve("spec.json"));
        assertEquals(WritingProcess.spec().toJson(), theirs);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(each -> String.valueOf(each.getFileName())).sorted().toList();
        }
    }
}
