// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The golden folder of version 2 stays readable; {@link #main} made it. */
class ResultStoreVersionsTest {

    private static final String DESCRIPTION = "LeNet, 2 epochs";

    @TempDir private Path folder;

    /**
     * Makes a golden folder.
     *
     * @param args the folder
     */
    public static void main(String[] args) {
        ResultStore store = ResultStore.open(Path.of(args[0]), DESCRIPTION);
        store.add(measured(), new Trial.Finished(outcome(), new byte[0]));
        store.add(failed(), new Trial.Finished(Outcome.failed("diverged", 0.5), new byte[0]));
    }

    private static QuantSpec measured() {
        return QuantSpec.of(LayerScheme.INT8)
                .with(LayerSelector.named("conv2"), LayerScheme.ofBits(4, 8));
    }

    private static QuantSpec failed() {
        return QuantSpec.of(LayerScheme.ofBits(2, 2));
    }

    private static Outcome outcome() {
        return new Outcome(Outcome.Status.MEASURED, 0.9375, 4321, 0.5, 2.25, "");
    }

    private void copyGolden() throws IOException {
        for (String name : List.of("search.txt", "results.jsonl")) {
            try (var file = getClass().getResourceAsStream("search-2/" + name)) {
                Files.write(folder.resolve(name), Objects.requireNonNull(file).readAllBytes());
            }
        }
    }

    @Test
    void resultsOfVersion2AreRead() throws IOException {
        copyGolden();
        List<SearchResult> results = ResultStore.open(folder, DESCRIPTION).all();
        assertEquals(
                List.of(measured(), failed()), results.stream().map(SearchResult::spec).toList());
        assertEquals(outcome(), results.get(0).outcome());
        assertEquals("diverged", results.get(1).outcome().reason());
    }

    @Test
    void anotherVersionIsRefusedWithARemedy() throws IOException {
        copyGolden();
        Path file = folder.resolve("search.txt");
        Files.writeString(
                file, Files.readString(file).replace("dl4j-quant search 2", "dl4j-quant search 3"));
        String refused =
                assertThrows(
                                IllegalStateException.class,
                                () -> ResultStore.open(folder, DESCRIPTION))
                        .getMessage();
        assertTrue(refused.contains("dl4j-quant search 2"), refused);
        assertTrue(refused.contains("give another folder"), refused);
    }
}
