// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.List;
import org.dl4jquant.check.Require;

/**
 * Checks that all addresses of a plan are inside the memory that it asks for, whoever made it: an
 * engine file may be damaged, or a stranger's.
 */
final class PlanBounds {

    /* 1 TiB an example: more than any device has, and no sum of sizes of a batch overflows. */
    private static final long MOST_BYTES = 1L << 40;

    private final long arenaBytes;
    private final int constantBytes;
    private final int inputs;

    private PlanBounds(long arenaBytes, int constantBytes, int inputs) {
        this.arenaBytes = arenaBytes;
        this.constantBytes = constantBytes;
        this.inputs = inputs;
    }

    /**
     * Checks a plan's parts.
     *
     * @throws IllegalArgumentException if an address is outside; the message names it
     */
    static void check(
            List<Step> steps,
            int constantBytes,
            long arenaBytes,
            List<Port> inputs,
            List<Port> outputs) {
        Require.argument(
                arenaBytes >= 0 && arenaBytes <= MOST_BYTES,
                "a plan with an arena of %d bytes an example; 0 to %d are allowed",
                arenaBytes,
                MOST_BYTES);
        PlanBounds bounds = new PlanBounds(arenaBytes, constantBytes, inputs.size());
        inputs.forEach(port -> bounds.check("input", port));
        outputs.forEach(port -> bounds.check("output", port));
        for (Step step : steps) {
            for (Step.Way way : step.ways()) {
                way.arguments().forEach(argument -> bounds.check(step.result(), argument));
            }
        }
    }

    private void check(String what, Port port) {
        List<Integer> dimensions = port.type().shape().dimensions();
        long bytes = port.type().isCodes() ? 1 : Float.BYTES;
        for (int size : dimensions) {
            bytes = Math.min(bytes * size, Integer.MAX_VALUE + 1L);
        }
        Require.argument(
                bytes <= Integer.MAX_VALUE,
                "the %s '%s' of shape %s has more than 2^31 - 1 bytes an example",
                what,
                port.name(),
                port.type().shape());
        Require.argument(
                port.place() >= 0 && port.place() <= arenaBytes - bytes,
                "the %s '%s' has %d bytes at %d, outside the arena of %d bytes",
                what,
                port.name(),
                bytes,
                port.place(),
                arenaBytes);
    }

    private void check(String result, Argument argument) {
        if (argument instanceof Argument.Arena arena) {
            Require.argument(
                    arena.place() >= 0
                            && arena.place() < arenaBytes
                            && arena.slice() >= 0
                            && arena.slice() < arenaBytes - arena.place(),
                    "the step of '%s' uses place %d + %d, outside the arena of %d bytes",
                    result,
                    arena.place(),
                    arena.slice(),
                    arenaBytes);
        } else if (argument instanceof Argument.Constant constant) {
            Require.argument(
                    constant.offset() >= 0 && constant.offset() < constantBytes,
                    "the step of '%s' reads constants at %d, and there are %d bytes",
                    result,
                    constant.offset(),
                    constantBytes);
        } else if (argument instanceof Argument.Input input) {
            Require.argument(
                    input.index() >= 0 && input.index() < inputs,
                    "the step of '%s' reads input %d, and there are %d",
                    result,
                    input.index(),
                    inputs);
        }
    }
}
