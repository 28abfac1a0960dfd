// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every tile, for both ways of loading, against the reference engine. */
class GemmKernelTest {

    static Stream<Arguments> tiles() {
        return Stream.of(Tile.values())
                .flatMap(
                        tile ->
                                Stream.of(
                                        Arguments.of(tile, Architecture.SM_75),
                                        Arguments.of(tile, Architecture.SM_80)));
    }

    private static void requireEqual(
            GemmTrial trial, Tile tile, Architecture architecture, int schedules) {
        for (int schedule = 0; schedule < schedules; schedule++) {
            assertEquals(
                    Optional.empty(),
                    trial.fault(EmulatedKernels.available(), tile, architecture, schedule),
                    trial.problem() + " with " + tile + ", " + architecture.target());
        }
    }

    @ParameterizedTest
    @MethodSource("tiles")
    void aTileWithTailsEverywhereIsExact(Tile tile, Architecture architecture) {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(23, 7, 9), GemmCases.window(3, 1, 1), 50)
                        .withResidual(GemmCases.residual(50));
        GemmTrial trial = GemmTrial.convolution(problem, GemmCases.NARROW, 2, 1);
        requireEqual(trial, tile, architecture, 4);
        assertEquals(0, trial.extraPhases(tile, architecture));
    }
}
