// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.dl4jquant.files.FormatVersion;

/** The version of this package's classes in model files. */
final class LayerVersion {

    /** The member of JSON that says it; today's files have none. */
    static final String NAME = "version";

    private LayerVersion() {}

    /**
     * Refuses a version that is not today's.
     *
     * @param type the class whose JSON it stands in
     * @param found the version
     * @throws IllegalArgumentException if another version of this library reads it; the message
     *     says what to do
     */
    static void require(Class<?> type, int found) {
        FormatVersion.require("the JSON of " + type.getSimpleName(), found, FormatVersion.FIRST);
    }
}
