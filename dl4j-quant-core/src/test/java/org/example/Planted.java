// SPDX-License-Identifier: Apache-2.0
package org.example;

import java.io.ObjectInputStream;
import java.io.Serializable;

/** Code of a stranger, which runs when it is loaded or deserialized. */
public final class Planted implements Serializable {

    /** The system property that says what ran. */
    public static final String PROPERTY = "org.example.planted";

    static {
        System.setProperty(PROPERTY, "loaded");
    }

    @SuppressWarnings({"unused", "UnusedMethod", "UnusedVariable"}) // by Java's deserialization
    private void readObject(ObjectInputStream in) {
        System.setProperty(PROPERTY, "read");
    }
}
