// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.Conformance;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Step;
import org.dl4jquant.files.Mutations;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An engine file is the one that was written, or is refused. */
class DamagedEngineTest {

    @TempDir Path folder;

    private Path file;

    @BeforeEach
    void writeAnEngine() throws IOException {
        Step step = new Step("conformance", Conformance.kernel(Architecture.SM_80), List.of());
        ByteBuffer constants = ByteBuffer.allocate(700);
        for (int i = 0; i < constants.capacity(); i++) {
            constants.put(i, (byte) (i * i));
        }
        Plan plan = new Plan(List.of(step), constants, 0, List.of(), List.of());
        Program program = EmulatedDriver.program(Architecture.SM_80, Program.Purpose.RUN, plan);
        file = folder.resolve("small.engine");
        new EngineFile("nobody", "", List.of(program)).write(file);
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
        byte[] whole = Files.readAllBytes(file);
        Path damaged = folder.resolve("damaged.engine");
        Path again = folder.resolve("again.engine");
        int refused =
                Mutations.survive(
                        whole,
                        count,
                        bytes -> {
                            Files.write(damaged, bytes);
                            EngineFile.read(damaged).write(again);
                            return Arrays.equals(whole, Files.readAllBytes(again))
                                    ? ""
                                    : "another engine";
                        });
        assertTrue(refused > count / 2, refused + " are refused");
    }

    @Test
    void whatIsReadAndWrittenAgainIsTheSameFile() throws IOException {
        Path again = folder.resolve("again.engine");
        EngineFile.read(file).write(again);
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(again));
    }

    @Test
    void anEngineThatCannotBeWrittenLeavesTheFormerFile() throws IOException {
        byte[] before = Files.readAllBytes(file);
        EngineFile engine = EngineFile.read(file);
        assertThrows(IOException.class, () -> engine.write(file.resolve("inside")));
        assertArrayEquals(before, Files.readAllBytes(file));
    }
}
