// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;

/** A process that writes files until it is killed or told that the disk is full. */
final class WritingProcess {

    static final String HEADER = "{\"format\":\"tests 1\"}";
    static final String READY = "writes";
    static final int LINE_LENGTH = 5_000;
    static final int RECORD_BYTES = 3_000;

    private static final int MEGABYTE = 1 << 20;

    private WritingProcess() {}

    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[1]);
        switch (args[0]) {
            case "full" -> fill(folder);
            case "loop" -> loop(folder);
            case "spec" -> WholeFile.write(folder.resolve("spec.json"), spec().toJson());
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    static QuantSpec spec() {
        return QuantSpec.of(LayerScheme.INT8)
                .with(LayerSelector.named("a"), LayerScheme.ofBits(4, 4));
    }

    /* Prints how many lines and records were taken, and what the failures said. */
    private static void fill(Path folder) throws IOException {
        try {
            WholeFile.write(folder.resolve("whole"), new byte[MEGABYTE]);
        } catch (IOException e) {
            System.out.println("whole: " + e.getMessage());
        }
        int lines = 0;
        LineLog log = LineLog.withHeader(folder.resolve("lines"), "tests", HEADER);
        try {
            for (; lines < 1000; lines++) {
                log.addToDisk(line(lines));
            }
        } catch (IOException e) {
            System.out.println("lines: " + lines);
        }
        int records = 0;
        try (RecordLog file = records(folder.resolve("records"), (position, record) -> true)) {
            for (; records < 1000; records++) {
                file.add(ByteBuffer.wrap(record(records)));
            }
        } catch (IOException e) {
            System.out.println("records: " + records);
        }
    }

    static RecordLog records(Path file, RecordLog.Visitor visitor) throws IOException {
        return RecordLog.open(file, "tests 1", "holds something else", visitor);
    }

    static String line(int number) {
        return ("line " + number + " ").repeat(LINE_LENGTH).substring(0, LINE_LENGTH);
    }

    static byte[] record(int number) {
        byte[] record = new byte[RECORD_BYTES];
        Arrays.fill(record, (byte) number);
        return record;
    }

    private static void loop(Path folder) throws IOException {
        LineLog log = LineLog.withHeader(folder.resolve("lines"), "tests", HEADER);
        int lines = log.lines().size();
        int[] records = {0};
        try (RecordLog file =
                records(folder.resolve("records"), (position, record) -> ++records[0] > 0)) {
            for (int i = 0; ; i = (i + 1) % 100) {
                byte[] bytes = new byte[MEGABYTE + i];
                Arrays.fill(bytes, (byte) i);
                WholeFile.write(folder.resolve("whole"), bytes);
                log.add(List.of(line(lines++), line(lines++)));
                file.add(ByteBuffer.wrap(record(records[0]++)));
                if (i == 3) {
                    System.out.println(READY);
                }
            }
        }
    }
}
