// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dl4jquant.check.Require;

/**
 * Which program of an engine file a GPU runs.
 *
 * <p>Machine code runs on GPUs of the same major number and of its own minor number or a later one;
 * that for sm_90a on no other.
 */
final class ProgramChoice {

    private static final Pattern TARGET = Pattern.compile("sm_(\\d+)(a?)");

    private ProgramChoice() {}

    /**
     * {@return the architecture whose programs are the best for a GPU; empty if it can run none}
     *
     * @param architectures what there are programs for, such as {@code sm_80}
     * @param device the GPU's number, such as 86
     */
    static Optional<String> best(List<String> architectures, int device) {
        return architectures.stream()
                .filter(architecture -> runs(architecture, device))
                .max(Comparator.comparingInt(ProgramChoice::rank));
    }

    /** {@return the program of a purpose for that architecture; empty if the file has none} */
    static Optional<Program> of(EngineFile file, String architecture, Program.Purpose purpose) {
        return file.programs().stream()
                .filter(program -> program.architecture().equals(architecture))
                .filter(program -> program.purpose() == purpose)
                .findFirst();
    }

    private static boolean runs(String architecture, int device) {
        int number = number(architecture);
        return architecture.endsWith("a")
                ? number == device
                : number / 10 == device / 10 && number <= device;
    }

    private static int number(String architecture) {
        Matcher matcher = TARGET.matcher(architecture);
        Require.argument(
                matcher.matches(), "'%s' is no architecture such as sm_80 or sm_90a", architecture);
        return Integer.parseInt(matcher.group(1));
    }

    private static int rank(String architecture) {
        return 2 * number(architecture) + (architecture.endsWith("a") ? 1 : 0);
    }

    /**
     * {@return the architecture whose code a GPU runs best}
     *
     * @throws IllegalArgumentException if the engine has no code for this GPU
     */
    static String requiredArchitecture(EngineFile file, Device device) {
        return best(file.architectures(), device.architecture())
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        ("the engine has code for %s, and %s needs sm_%d; compile it for"
                                                        + " that, too")
                                                .formatted(
                                                        file.architectures(),
                                                        device.name(),
                                                        device.architecture())));
    }

    /**
     * {@return the program of an engine for an architecture}
     *
     * @throws IllegalStateException if the engine was compiled without it
     */
    static Program required(EngineFile file, String architecture, Program.Purpose purpose) {
        return of(file, architecture, purpose)
                .orElseThrow(
                        () ->
                                new IllegalStateException(
                                        "the engine has no program to "
                                                + purpose.name().toLowerCase(Locale.ROOT)
                                                + " for "
                                                + architecture
                                                + "; compile it with Target.withTraces()"));
    }
}
