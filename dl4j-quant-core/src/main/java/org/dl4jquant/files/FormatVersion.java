// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import org.dl4jquant.check.Require;

/**
 * The version of a format. A file without one has version 1, so that a writer need not name the
 * first.
 */
public final class FormatVersion {

    /** The version of a file that names none. */
    public static final int FIRST = 1;

    private FormatVersion() {}

    /**
     * Requires the one version that is read.
     *
     * @param what the file or the part of it, for the message
     * @param found its version
     * @param read the version that this library reads
     * @throws IllegalArgumentException if it is another; the message says what to do
     */
    public static void require(String what, long found, int read) {
        Require.argument(
                found <= read,
                "%s has version %d, and this version of dl4j-quant reads %d: use a newer version of"
                        + " dl4j-quant",
                what,
                found,
                read);
        Require.argument(
                found == read,
                "%s has version %d, and this version of dl4j-quant reads %d: it was edited or is"
                        + " damaged, or make it again",
                what,
                found,
                read);
    }
}
