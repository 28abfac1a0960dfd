// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where tests look for a part of MNIST, which is not in the repository: in the folder {@code
 * mnist-10k} of the one that the system property {@code dl4jquant.data} names, else of {@code
 * shared/data} beside the repository.
 */
public final class MnistData {

    /** The message of tests when it is not there. */
    public static final String WHY_NOT =
            "not run: there is no MNIST at "
                    + folder()
                    + "; name the folder that holds mnist-10k with -Ddl4jquant.data";

    private MnistData() {}

    /** {@return the folder with MNIST's four files, which may not exist} */
    public static Path folder() {
        String named = System.getProperty("dl4jquant.data");
        Path data = named == null ? Path.of("..", "..", "shared", "data") : Path.of(named);
        return data.resolve("mnist-10k");
    }

    /** {@return whether the folder exists} */
    public static boolean isHere() {
        return Files.isDirectory(folder());
    }
}
