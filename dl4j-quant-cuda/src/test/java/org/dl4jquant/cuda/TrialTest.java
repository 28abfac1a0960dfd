// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrialTest {

    @TempDir private Path bundle;

    @Test
    void isReadBack() throws IOException {
        Trial trial = new Trial("resnet50", List.of(1, 8192));
        trial.write(bundle, "resnet50-cut1");
        assertEquals(trial, Trial.read(bundle, "resnet50-cut1"));
        assertEquals(new Trial("lenet", Trial.BATCHES), Trial.read(bundle, "lenet"));
    }

    @Test
    void refusesNonsense() throws IOException {
        assertRefused("batches=1,many\n", "For input string: \"many\"");
        assertRefused("batches=0\n", "in batches of [0]; each must be 1 or more");
    }

    private void assertRefused(String text, String reason) throws IOException {
        Path file = Files.writeString(bundle.resolve("lenet.properties"), text);
        String message =
                assertThrows(IOException.class, () -> Trial.read(bundle, "lenet")).getMessage();
        assertTrue(message.startsWith(file + " is no trial: "), message);
        assertTrue(message.contains(reason), message);
    }
}
