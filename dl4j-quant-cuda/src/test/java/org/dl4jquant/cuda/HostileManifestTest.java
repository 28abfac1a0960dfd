// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.plan.Argument;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Planner;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.cuda.plan.Step;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Manifests with right checksums and wrong contents: whoever wrote them meant harm, or erred. */
class HostileManifestTest {

    private static final int HEADER_BYTES = 48;
    private static final int ALIGNMENT = 256;
    private static final int MUTATIONS = 200;
    private static final int MANY_MUTATIONS = 10_000;

    /* No file of this size may take longer to read. */
    private static final Duration LONGEST = Duration.ofSeconds(10);

    private static final Pattern NUMBER = Pattern.compile("(?<=: |\\[ |, )-?[0-9][0-9.Ee+-]*");
    private static final Pattern VALUE = Pattern.compile("(?<= : )(\"[^\"]*\"|-?[0-9.]+|true)");

    private static final String[] EXTREMES = {
        "-1",
        "0",
        "1",
        "7",
        "1000",
        "2147483647",
        "2147483648",
        "4294967295",
        "-2147483648",
        "9223372036854775807",
        "9223372036854775552",
        "-9223372036854775808",
        "1e300",
        "0.5",
        "\"text\"",
        "null",
        "[]",
        "{}"
    };

    @TempDir private Path folder;
    private Path path;
    private byte[] whole;
    private String manifest;

    @BeforeEach
    void writeEngine() throws IOException {
        path = folder.resolve("model.engine");
        Plan plan = Planner.run(Networks.leNet(4), Architecture.SM_90A, 1024);
        Program program = EmulatedDriver.program(Architecture.SM_90A, Program.Purpose.RUN, plan);
        new EngineFile("NVRTC 12.9", "", List.of(program)).write(path);
        whole = Files.readAllBytes(path);
        int length = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong(8);
        manifest = new String(whole, HEADER_BYTES, length, StandardCharsets.UTF_8);
    }

    @Test
    void theUnchangedManifestIsRead() throws IOException {
        write(manifest);
        requireInside(EngineFile.read(path));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    "arenaBytes" : [0-9]+ | "arenaBytes" : 1 | outside the arena of 1 bytes
                    "arenaBytes" : [0-9]+ | "arenaBytes" : 9223372036854775807 | an arena of 9223372036854775807 bytes
                    "constantBytes" : [0-9]+ | "constantBytes" : 2147483647 | are stored
                    "rows" : [0-9]+ | "rows" : 2147483647 | outside their
                    "to" : [0-9]+ | "to" : 9223372036854775807 | outside their
                    "arena" : [0-9]+ | "arena" : -4 | uses place -4
                    "slice" : [0-9]+ | "slice" : 9223372036854775807 | outside the arena
                    "constant" : [0-9]+ | "constant" : 2147483647 | reads constants at 2147483647
                    "input" : 0 | "input" : 1 | reads input 1, and there are 1
                    "offset" : [0-9]+ | "offset" : 9223372036854775552 | it ends inside the section
                    "bytes" : [0-9]+ | "bytes" : 9223372036854775807 | it ends inside the section
                    "place" : [0-9]+ | "place" : 9223372036854775807 | outside the arena
                    "purpose" : "RUN" | "purpose" : "WALK" | the purpose 'WALK'; known are [RUN, TRACE]
                    "architecture" : "sm_90a" | "architecture" : "sm_1" | the architecture 'sm_1'
                    "shape" : \\[ 1, | "shape" : [ 2147483647, 2147483647, | more than 2147483647 elements
                    """)
    void saysWhatIsWrong(String from, String to, String message) throws IOException {
        Matcher place = Pattern.compile(from).matcher(manifest);
        assertTrue(place.find(), () -> from + " is not in the manifest");
        write(place.replaceFirst(to));
        IOException error = assertThrows(IOException.class, () -> EngineFile.read(path));
        assertTrue(error.getMessage().contains(message), error.getMessage());
        assertTrue(error.getMessage().startsWith("cannot read the engine " + path + ": "));
    }

    @Test
    void aChangedManifestIsRefusedOrStaysInsideItsMemory() throws IOException {
        mutate(MUTATIONS);
    }

    @Test
    @Tag("thorough")
    void manyChangedManifestsAreRefusedOrStayInsideTheirMemory() throws IOException {
        mutate(MANY_MUTATIONS);
    }

    private void mutate(int mutations) throws IOException {
        Random random = new Random(11);
        int refused = 0;
        for (int i = 0; i < mutations; i++) {
            write(mutated(random));
            int number = i;
            EngineFile engine =
                    assertTimeoutPreemptively(LONGEST, () -> read(number), "mutation " + i);
            if (engine == null) {
                refused++;
            } else {
                requireInside(engine);
            }
        }
        assertTrue(refused > mutations / 4, refused + " of " + mutations + " were refused");
    }

    /* Null if it is refused as a reader's user expects: by an IOException that names the file. */
    private EngineFile read(int mutation) {
        try {
            return EngineFile.read(path);
        } catch (IOException e) {
            assertTrue(e.getMessage().contains(path.toString()), "mutation " + mutation + e);
            return null;
        }
    }

    private String mutated(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> replaced(VALUE, EXTREMES[random.nextInt(EXTREMES.length)], random);
            case 1 -> {
                int from = random.nextInt(manifest.length());
                int to = Math.min(manifest.length(), from + 1 + random.nextInt(40));
                yield manifest.substring(0, from) + manifest.substring(to);
            }
            default -> replaced(NUMBER, EXTREMES[random.nextInt(EXTREMES.length)], random);
        };
    }

    private String replaced(Pattern pattern, String by, Random random) {
        Matcher matcher = pattern.matcher(manifest);
        int from = random.nextInt(manifest.length());
        if (!matcher.find(from) && !matcher.find(0)) {
            throw new AssertionError(pattern);
        }
        return manifest.substring(0, matcher.start()) + by + manifest.substring(matcher.end());
    }

    private static void requireInside(EngineFile engine) {
        for (Program program : engine.programs()) {
            Plan plan = program.plan();
            for (Port port : plan.outputs()) {
                requireInside(port.place(), port.bytes(), plan.arenaBytes());
            }
            for (Step step : plan.steps()) {
                for (Step.Way way : step.ways()) {
                    way.arguments().forEach(argument -> requireInside(argument, plan));
                }
            }
        }
    }

    private static void requireInside(Argument argument, Plan plan) {
        if (argument instanceof Argument.Arena arena) {
            requireInside(arena.place(), Math.addExact(arena.slice(), 1), plan.arenaBytes());
        } else if (argument instanceof Argument.Constant constant) {
            requireInside(constant.offset(), 1, plan.constants().remaining());
        } else if (argument instanceof Argument.Input input) {
            requireInside(input.index(), 1, plan.inputs().size());
        }
    }

    private static void requireInside(long place, long bytes, long all) {
        assertTrue(
                place >= 0 && bytes >= 0 && Math.addExact(place, bytes) <= all,
                place + " + " + bytes + " of " + all);
    }

    /* With the checksum and the length that it should have, and the same sections. */
    private void write(String json) throws IOException {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        int oldBegin = aligned(HEADER_BYTES + manifest.getBytes(StandardCharsets.UTF_8).length);
        int begin = aligned(HEADER_BYTES + text.length);
        byte[] bytes = Arrays.copyOf(whole, begin + whole.length - oldBegin);
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(8, text.length).put(16, sha256(text)).put(HEADER_BYTES, text);
        Arrays.fill(bytes, HEADER_BYTES + text.length, begin, (byte) 0);
        System.arraycopy(whole, oldBegin, bytes, begin, whole.length - oldBegin);
        Files.write(path, bytes);
    }

    private static int aligned(int bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
