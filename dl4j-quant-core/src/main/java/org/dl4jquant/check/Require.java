// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.check;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Checks that throw with a formatted message; the format is verified by the compiler. */
public final class Require {

    private Require() {}

    /**
     * Requires something of an argument.
     *
     * @param condition the condition that must hold
     * @param format the message: where, what was found, what is allowed, what to do
     * @param args the values that the message shows
     * @throws IllegalArgumentException if the condition does not hold
     */
    @FormatMethod
    public static void argument(boolean condition, @FormatString String format, Object... args) {
        if (!condition) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, format, args));
        }
    }

    /**
     * Requires something of an object's state.
     *
     * @param condition the condition that must hold
     * @param format the message: where, what was found, what is allowed, what to do
     * @param args the values that the message shows
     * @throws IllegalStateException if the condition does not hold
     */
    @FormatMethod
    public static void state(boolean condition, @FormatString String format, Object... args) {
        if (!condition) {
            throw new IllegalStateException(String.format(Locale.ROOT, format, args));
        }
    }

    /**
     * Requires that an argument is there.
     *
     * @param argument must not be null
     * @param name its name in the caller's documentation
     * @param <T> its type
     * @return the argument
     * @throws IllegalArgumentException if it is null; the message names it
     */
    @CanIgnoreReturnValue
    public static <T> T given(@Nullable T argument, String name) {
        if (argument == null) {
            throw new IllegalArgumentException(
                    "the argument '" + name + "' is null; it must be given");
        }
        return argument;
    }
}
