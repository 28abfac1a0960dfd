// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.dl4jquant.check.Require;

/**
 * A CUDA source and all that it includes.
 *
 * @param name what it is called in the compiler's messages, a file's name without a folder
 * @param text the source
 * @param headers the texts of the headers, by the names that it includes them by, without folders
 */
public record CudaSource(String name, String text, SortedMap<String, String> headers) {

    private static final String FILE_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*";

    /** Copies the headers. */
    public CudaSource {
        headers = Collections.unmodifiableSortedMap(new TreeMap<>(headers));
        requireFileName(name);
        headers.keySet().forEach(CudaSource::requireFileName);
    }

    /**
     * {@return a source that includes nothing}
     *
     * @param name what it is called in messages, a file's name without a folder
     * @param text the source
     */
    public static CudaSource of(String name, String text) {
        return new CudaSource(name, text, new TreeMap<>(Map.of()));
    }

    private static void requireFileName(String name) {
        Require.argument(
                name.matches(FILE_NAME),
                "'%s' cannot name a source; letters, digits, '_', '.' and '-' are allowed",
                name);
    }
}
