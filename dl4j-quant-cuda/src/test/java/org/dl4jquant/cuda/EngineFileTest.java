// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.Launch;
import org.dl4jquant.cuda.plan.Argument;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Planner;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.cuda.plan.Step;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineFileTest {

    private static final int CUBIN_BYTES = 700;
    private static final int ALIGNMENT = 256;
    private static final String GRAPH = "0123456789abcdef".repeat(4);

    @TempDir private Path folder;

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static KernelSpec kernel(String value) {
        return new KernelSpec(
                "add.cu",
                new TreeMap<>(Map.of("QK_C", value)),
                new Launch(100, 64, 2, 128, 4096),
                2);
    }

    private static Program program(String architecture, Program.Purpose purpose, long seed) {
        KernelSpec first = kernel("16");
        KernelSpec second = kernel("32");
        QuantParams params = new QuantParams(0.1f, -3, CodeRange.signed(8));
        Plan plan =
                new Plan(
                        List.of(
                                new Step("a", first, List.of(new Argument.Input(0))),
                                new Step(
                                        "b",
                                        second,
                                        List.of(
                                                new Argument.Arena(512, 16),
                                                new Argument.Constant(256),
                                                new Argument.Nothing()))),
                        ByteBuffer.wrap(random(1, 1000)),
                        2048,
                        List.of(new Port("x", new TensorType(Shape.of(3, 4, 5), null), 0)),
                        List.of(new Port("b", new TensorType(Shape.of(7), params), 1024)));
        return new Program(
                architecture,
                purpose,
                plan,
                Map.of(
                        first.entry(),
                        ByteBuffer.wrap(random(seed, CUBIN_BYTES)),
                        second.entry(),
                        ByteBuffer.wrap(random(seed + 1, CUBIN_BYTES))));
    }

    private Path written() throws IOException {
        Path path = folder.resolve("model.engine");
        new EngineFile(
                        "NVRTC 12.9",
                        GRAPH,
                        List.of(
                                program("sm_80", Program.Purpose.RUN, 2),
                                program("sm_80", Program.Purpose.TRACE, 2),
                                program("sm_90a", Program.Purpose.RUN, 4)))
                .write(path);
        return path;
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        EngineFile engine = EngineFile.read(written());
        assertEquals("NVRTC 12.9", engine.compiler());
        assertEquals(GRAPH, engine.graph());
        assertEquals(List.of("sm_80", "sm_90a"), engine.architectures());
        assertEquals(program("sm_80", Program.Purpose.RUN, 2), engine.programs().get(0));
        assertEquals(program("sm_80", Program.Purpose.TRACE, 2), engine.programs().get(1));
        assertEquals(program("sm_90a", Program.Purpose.RUN, 4), engine.programs().get(2));
    }

    @Test
    void equalSectionsAreWrittenOnce() throws IOException {
        long size = Files.size(written());
        // One of the constants, four of cubins, and the manifest.
        assertTrue(size < 5 * 1024 + 8 * 1024, () -> "the file has " + size + " bytes");
    }

    @Test
    void everyDamagedByteIsSeen() throws IOException {
        Path path = written();
        byte[] whole = Files.readAllBytes(path);
        Random random = new Random(5);
        int seen = 0;
        for (int i = 0; i < 300; i++) {
            byte[] damaged = whole.clone();
            int place = random.nextInt(damaged.length);
            damaged[place] ^= (byte) (1 << random.nextInt(8));
            Files.write(path, damaged);
            if (isPadding(whole, place)) {
                EngineFile.read(path);
            } else {
                IOException error = assertThrows(IOException.class, () -> EngineFile.read(path));
                assertTrue(error.getMessage().startsWith("cannot read the engine " + path + ": "));
                seen++;
            }
        }
        assertTrue(seen > 200);
    }

    /* Between a section's end and the next multiple of 256, zeros that mean nothing. */
    private static boolean isPadding(byte[] whole, int place) {
        int begin = place / ALIGNMENT * ALIGNMENT;
        for (int i = Math.max(begin, 0); i < Math.min(begin + ALIGNMENT, whole.length); i++) {
            if (i >= place && whole[i] != 0) {
                return false;
            }
        }
        return true;
    }

    @Test
    void saysWhichSectionIsDamaged() throws IOException {
        Path path = written();
        byte[] bytes = Files.readAllBytes(path);
        bytes[bytes.length - 1]++;
        Files.write(path, bytes);
        assertTrue(message(path).contains("the section of the kernel q_"), () -> message(path));
        assertTrue(message(path).endsWith(" for sm_90a is damaged: copy it again"));
    }

    @Test
    void saysThatTheFileEndsTooEarly() throws IOException {
        Path path = written();
        byte[] bytes = Files.readAllBytes(path);
        Files.write(path, Arrays.copyOf(bytes, bytes.length - 1));
        assertTrue(
                message(path).contains("it ends inside the section of the kernel"),
                () -> message(path));
        Files.write(path, Arrays.copyOf(bytes, 100));
        assertTrue(
                message(path)
                        .endsWith("it ends inside its manifest, after 100 bytes: copy it again"));
    }

    @Test
    void saysThatTheHeaderEndsTooEarly() throws IOException {
        Path path = written();
        Files.write(path, Arrays.copyOf(Files.readAllBytes(path), 20));
        assertTrue(
                message(path).endsWith("it ends inside its header, after 20 bytes: copy it again"));
    }

    @Test
    void keepsWhatItReadWhenAnotherProgramWritesTheFile() throws IOException {
        Path path = written();
        byte[] before = Files.readAllBytes(path);
        EngineFile engine = EngineFile.read(path);
        Files.write(path, new byte[before.length]); // in its place, as cp does
        Files.write(path, new byte[0]);
        Path copy = folder.resolve("copy.engine");
        engine.write(copy);
        assertArrayEquals(before, Files.readAllBytes(copy));
    }

    @Test
    void saysThatTheFormatIsAnother() throws IOException {
        Path path = written();
        byte[] bytes = Files.readAllBytes(path);
        bytes[4] = EngineFile.FORMAT + 1;
        Files.write(path, bytes);
        assertTrue(
                message(path)
                        .endsWith(
                                "its format is 5, and this version reads 4: compile the model"
                                        + " again, or use a newer version of dl4j-quant-cuda"));
        bytes[4] = 0;
        Files.write(path, bytes);
        assertTrue(
                message(path)
                        .endsWith(
                                "its format is 0, and this version reads 4: compile the model"
                                        + " again"));
    }

    @Test
    void saysThatItIsNoEngine() throws IOException {
        Path path = folder.resolve("model.onnx");
        Files.writeString(path, "something else");
        assertTrue(message(path).endsWith("it is no engine file: it does not begin with DQCE"));
    }

    @Test
    void anOlderFileStaysWholeIfWritingFails() throws IOException {
        Path path = written();
        byte[] before = Files.readAllBytes(path);
        Path missing = folder.resolve("missing").resolve("model.engine");
        EngineFile engine = EngineFile.read(path);
        assertThrows(IOException.class, () -> engine.write(missing));
        assertEquals(List.of("model.engine"), List.of(folder.toFile().list()));
        assertTrue(Arrays.equals(before, Files.readAllBytes(path)));
    }

    @Test
    void refusesAProgramWithoutAKernel() {
        Program whole = program("sm_80", Program.Purpose.RUN, 2);
        String entry = kernel("16").entry();
        assertEquals(
                "the program for sm_80 lacks the kernel " + entry + " of add.cu",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        new Program(
                                                "sm_80",
                                                Program.Purpose.RUN,
                                                whole.plan(),
                                                Map.of()))
                        .getMessage());
    }

    @Test
    void weightsOfFourBitsAreStoredPackedAndReadAsBytes() throws IOException {
        Plan plan = Planner.run(Networks.leNet(4), Architecture.SM_90A, 1024);
        long unpacked = plan.expansions().stream().mapToLong(Plan.Expansion::bytes).sum();
        assertTrue(unpacked > 100_000, "" + unpacked);
        EngineFile engine =
                new EngineFile(
                        "nobody",
                        "",
                        List.of(
                                EmulatedDriver.program(
                                        Architecture.SM_90A, Program.Purpose.RUN, plan)));
        Path path = folder.resolve("packed.engine");
        engine.write(path);
        Plan read = EngineFile.read(path).programs().get(0).plan();
        assertEquals(plan.constants(), read.constants());
        assertEquals(plan.expansions(), read.expansions());
        assertEquals(plan.steps(), read.steps());
        assertTrue(Files.size(path) < plan.constants().remaining() - unpacked + 60_000);
        assertEquals(
                "its manifest unpacks constants at 0 to 600, which are not there yet",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        StoredConstants.unpack(
                                                ByteBuffer.allocate(512),
                                                List.of(
                                                        new Plan.Expansion(0, 512, 8, 32),
                                                        new Plan.Expansion(0, 600, 8, 32)),
                                                1024))
                        .getMessage());
        assertEquals(
                "its manifest has 2048 bytes of constants, 512 of them unpacked, and 256 are"
                        + " stored",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        StoredConstants.unpack(
                                                ByteBuffer.allocate(256),
                                                List.of(new Plan.Expansion(0, 256, 16, 32)),
                                                2048))
                        .getMessage());
    }

    private static String message(Path path) {
        return assertThrows(IOException.class, () -> EngineFile.read(path)).getMessage();
    }
}
