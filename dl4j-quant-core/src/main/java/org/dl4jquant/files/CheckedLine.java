// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dl4jquant.check.Require;

/**
 * A JSON object on a line of its own, with the CRC-32C of the rest as its last member: {@code
 * {"a":1,"crc32c":"0011aabb"}}. It stays JSON that every program reads.
 */
public final class CheckedLine {

    private static final Pattern SEALED =
            Pattern.compile("(\\{.*),\"crc32c\":\"([0-9a-f]{8})\"\\}", Pattern.DOTALL);

    private CheckedLine() {}

    /**
     * Adds the checksum.
     *
     * @param object a JSON object with a member, on one line, without blanks around
     * @return the object with one more member
     */
    public static String seal(String object) {
        Require.argument(
                object.startsWith("{\"") && object.endsWith("}") && object.indexOf('\n') < 0,
                "only JSON objects of one line have checksums: %s",
                object);
        String open = object.substring(0, object.length() - 1);
        return open + ",\"crc32c\":\"" + checksum(open) + "\"}";
    }

    /**
     * Checks the checksum and takes it off.
     *
     * @param line a result of {@link #seal}
     * @return the object that it was given
     * @throws IllegalArgumentException if it has no checksum, or another one
     */
    public static String open(String line) {
        Matcher sealed = SEALED.matcher(line);
        Require.argument(
                sealed.matches(), "the line has no checksum at its end: it was changed or cut off");
        String found = checksum(sealed.group(1));
        Require.argument(
                found.equals(sealed.group(2)),
                "the line's checksum is %s, not %s: it was changed",
                found,
                sealed.group(2));
        return sealed.group(1) + "}";
    }

    private static String checksum(String text) {
        int crc = Checksum.crc32c(text.getBytes(StandardCharsets.UTF_8));
        return String.format(Locale.ROOT, "%08x", crc);
    }
}
