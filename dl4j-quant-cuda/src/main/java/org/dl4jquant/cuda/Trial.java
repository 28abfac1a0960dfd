// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.WholeFile;

/**
 * How {@link GpuRunner} tries an engine of its bundle: with which golden run, and in which batches
 * it is timed. It lies beside the engine as {@code NAME.properties}; without such a file the golden
 * run has the engine's name, and the batches are {@link #BATCHES}.
 *
 * @param model the network's name; its golden run is {@code MODEL.golden}, and engines of one name
 *     are rows of one network
 * @param batches sizes of batches, ascending
 */
public record Trial(String model, List<Integer> batches) {

    /** Batches that say much of a network for pictures. */
    public static final List<Integer> BATCHES = List.of(1, 8, 32, 128, 256);

    private static final String MODEL = "model";
    private static final String SIZES = "batches";

    /** Checks the batches. */
    public Trial {
        batches = List.copyOf(batches);
        Require.argument(
                !batches.isEmpty() && batches.stream().allMatch(batch -> batch >= 1),
                "a trial of '%s' in batches of %s; each must be 1 or more",
                model,
                batches);
    }

    /**
     * Writes the trial.
     *
     * @param bundle the bundle's folder
     * @param engine the engine's name
     * @throws IOException if the file cannot be written
     */
    public void write(Path bundle, String engine) throws IOException {
        StringBuilder sizes = new StringBuilder();
        batches.forEach(batch -> sizes.append(sizes.isEmpty() ? "" : ",").append(batch));
        WholeFile.write(
                file(bundle, engine), MODEL + "=" + model + "\n" + SIZES + "=" + sizes + "\n");
    }

    /**
     * {@return how an engine is tried}
     *
     * @param bundle the bundle's folder
     * @param engine the engine's name
     * @throws IOException if there is a file that cannot be read, or says nonsense
     */
    public static Trial read(Path bundle, String engine) throws IOException {
        Path file = file(bundle, engine);
        Properties properties = new Properties();
        if (Files.exists(file)) {
            try (BufferedReader reader = Files.newBufferedReader(file)) {
                properties.load(reader);
            }
        }
        try {
            String sizes = properties.getProperty(SIZES);
            List<Integer> batches = new ArrayList<>();
            for (String size : sizes == null ? new String[0] : sizes.split(",", -1)) {
                batches.add(Integer.valueOf(size.strip()));
            }
            return new Trial(
                    properties.getProperty(MODEL, engine), sizes == null ? BATCHES : batches);
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " is no trial: " + e.getMessage(), e);
        }
    }

    private static Path file(Path bundle, String engine) {
        return bundle.resolve(engine + ".properties");
    }
}
