// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import com.sun.jna.NativeLibrary;
import java.util.ArrayList;
import java.util.List;

/** Looks for a native library in several places. */
final class NativeLibraries {

    private NativeLibraries() {}

    /**
     * {@return the first of the places that has the library}
     *
     * @param what the library, as a sentence's subject: "the CUDA driver"
     * @param places absolute paths, or names that the system's loader knows
     * @param remedy what to do where there is none
     * @throws CudaException if none has it; the message lists the places, and why each failed
     */
    static NativeLibrary open(String what, List<String> places, String remedy) {
        List<String> failures = new ArrayList<>();
        for (String place : places) {
            try {
                return NativeLibrary.getInstance(place);
            } catch (UnsatisfiedLinkError e) {
                failures.add(place + " (" + reason(e) + ")");
            }
        }
        throw CudaException.unusable(
                what + " cannot be loaded; tried " + String.join(", ", failures) + ". " + remedy,
                null);
    }

    /* JNA's first line repeats the name; the loader's own reason follows. */
    private static String reason(UnsatisfiedLinkError error) {
        List<String> lines = String.valueOf(error.getMessage()).lines().toList();
        return lines.get(Math.min(1, lines.size() - 1)).strip();
    }
}
