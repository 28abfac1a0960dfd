// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class QuantSpecSpaceTest {

    private static QuantSpecSpace space() {
        return QuantSpecSpace.of(QuantSpec.of(LayerScheme.INT8))
                .with(BitWidthSpace.of(8, 2, 4), "a", "b")
                .with(BitWidthSpace.of(4, 8), BitWidthSpace.of(6, 8), "c");
    }

    private static QuantSpec spec(int ab, int weights, int activations) {
        return QuantSpec.of(LayerScheme.INT8)
                .with(LayerSelector.named("a"), LayerScheme.ofBits(ab, ab))
                .with(LayerSelector.named("b"), LayerScheme.ofBits(ab, ab))
                .with(LayerSelector.named("c"), LayerScheme.ofBits(weights, activations));
    }

    @Test
    void aGridHasEveryCandidateOnce() {
        assertEquals(12, space().size());
        CandidateGenerator grid = Candidates.grid(space());
        List<Object> candidates = new ArrayList<>();
        while (grid.hasMoreCandidates()) {
            candidates.add(grid.getCandidate().getValue());
        }
        Set<Object> expected = new HashSet<>();
        for (int ab : new int[] {2, 4, 8}) {
            for (int weights : new int[] {4, 8}) {
                expected.add(spec(ab, weights, 6));
                expected.add(spec(ab, weights, 8));
            }
        }
        assertEquals(12, candidates.size());
        assertEquals(expected, new HashSet<>(candidates));
    }

    @Test
    void aDrawIsUniformAndRepeatable() {
        CandidateGenerator random = Candidates.random(space(), 3);
        CandidateGenerator again = Candidates.random(space(), 3);
        Map<Object, Integer> counts = new HashMap<>();
        int draws = 12_000;
        for (int i = 0; i < draws; i++) {
            Object candidate = random.getCandidate().getValue();
            assertEquals(candidate, again.getCandidate().getValue());
            counts.merge(candidate, 1, Integer::sum);
        }
        assertEquals(12, counts.size());
        // 1,000 each with a standard deviation of 30; the seed is fixed
        counts.forEach((candidate, count) -> assertEquals(1000, count, 150, candidate.toString()));
    }

    @Test
    void oneSpaceAtTwoPlacesIsOneWidth() {
        BitWidthSpace shared = BitWidthSpace.of(2, 8);
        QuantSpecSpace tied =
                QuantSpecSpace.of(QuantSpec.of(LayerScheme.INT8))
                        .with(shared, "a")
                        .with(shared, "b");
        assertEquals(2, tied.size());
        assertEquals(1, tied.numParameters());
        CandidateGenerator grid = Candidates.grid(tied);
        while (grid.hasMoreCandidates()) {
            QuantSpec spec = (QuantSpec) grid.getCandidate().getValue();
            assertEquals(spec.rules().get(0).scheme(), spec.rules().get(1).scheme());
        }
    }

    @Test
    void anotherBreedIsRepeatableToo() {
        CandidateGenerator first = Candidates.genetic(space(), 4, 9);
        CandidateGenerator second = Candidates.genetic(space(), 4, 9);
        for (int i = 0; i < 4; i++) {
            assertEquals(first.getCandidate().getValue(), second.getCandidate().getValue());
        }
    }

    @Test
    void refusesWhatIsNoSpace() {
        assertEquals(
                "a layer has no width to choose from; give one or more of 2 to 8",
                message(BitWidthSpace::of));
        assertEquals(
                "widths [2, 2]; each must be 2 to 8, and named once",
                message(() -> BitWidthSpace.of(2, 2)));
        assertEquals(
                "widths [1, 4]; each must be 2 to 8, and named once",
                message(() -> BitWidthSpace.of(1, 4)));
        assertEquals(
                "a group of layers is empty; name its layers",
                message(() -> space().with(BitWidthSpace.of(2))));
        assertEquals(
                "layer 'b' is in two groups",
                message(() -> space().with(BitWidthSpace.of(2), "b")));
        assertEquals(
                "the space has one candidate only: no layer has widths to choose from; give a group"
                        + " of layers two widths or more",
                message(() -> Candidates.grid(QuantSpecSpace.of(QuantSpec.of(LayerScheme.INT8)))));
        QuantSpecSpace fixed =
                QuantSpecSpace.of(QuantSpec.of(LayerScheme.INT8)).with(BitWidthSpace.of(4), "a");
        assertEquals(
                "the space has one candidate only: each has one width; give a group of layers two"
                        + " widths or more",
                message(() -> Candidates.random(fixed, 1)));
        assertEquals(
                "a population of 1; at least 2 breed",
                message(() -> Candidates.genetic(space(), 1, 1)));
    }

    @Test
    void oneWidthBesideOthersIsFixed() {
        QuantSpecSpace space = space().with(BitWidthSpace.of(3), "d");
        assertEquals(12, space.size());
        QuantSpec spec = (QuantSpec) Candidates.random(space, 1).getCandidate().getValue();
        assertTrue(
                spec.rules()
                        .contains(
                                new QuantSpec.Rule(
                                        LayerSelector.named("d"), LayerScheme.ofBits(3, 3))));
    }

    @Test
    void refusesAGridThatIsTooLarge() {
        QuantSpecSpace large = QuantSpecSpace.of(QuantSpec.of(LayerScheme.INT8));
        for (int i = 0; i < 40; i++) {
            large = large.with(BitWidthSpace.of(2, 4, 8), "layer" + i);
        }
        QuantSpecSpace tooLarge = large;
        assertTrue(
                message(() -> Candidates.grid(tooLarge))
                        .endsWith("is too large; use Candidates.random or Candidates.genetic"));
    }

    private static String message(Executable executable) {
        return assertThrows(IllegalArgumentException.class, executable).getMessage();
    }
}
