// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Output;
import org.junit.jupiter.api.Test;

/** Every product that a ResNet-50 is made of, once, batch 1, each with a tile that fits it. */
class ResNet50ShapesTest {

    private record Layer(int channels, int size, int kernel, int stride, int filters, Tile tile) {

        GemmTrial trial() {
            ImageLayout image = GemmCases.image(channels, size, size);
            if (size == 1) {
                return GemmTrial.dense(
                        GemmCases.dense(image, filters, new Output.Floats()),
                        GemmCases.NARROW,
                        1,
                        1);
            }
            ImageLayout layout = channels == 3 ? image.withPitch(4) : image;
            GemmProblem problem =
                    GemmCases.convolution(
                            layout, GemmCases.window(kernel, stride, kernel / 2), filters);
            boolean last = filters == 4 * channels || (filters == 2 * channels && stride == 2);
            return GemmTrial.convolution(
                    last && kernel == 1
                            ? problem.withResidual(GemmCases.residual(filters))
                            : problem,
                    GemmCases.NARROW,
                    1,
                    channels);
        }

        Optional<String> fault() {
            return fault(tile, Architecture.SM_80);
        }

        /** {@return what is wrong on Hopper, with a tile that groups of warps multiply} */
        Optional<String> faultByGroup() {
            return fault(groupTile(), Architecture.SM_90A);
        }

        private Tile groupTile() {
            return switch (filters) {
                case 64 -> size == 56 ? Tile.M128_N64_K128_GROUP : Tile.M64_N64_K128_GROUP;
                case 128 -> stride == 1 ? Tile.M128_N128_K128_GROUP : Tile.M256_N128_K128_GROUP;
                case 256 -> kernel == 1 ? Tile.M128_N256_K128_GROUP : Tile.M64_N256_K128_GROUP;
                default -> Tile.M64_N128_K128_GROUP;
            };
        }

        private Optional<String> fault(Tile cut, Architecture architecture) {
            return trial().fault(EmulatedKernels.available(), cut, architecture, 0)
                    .map(fault -> this + ": " + fault);
        }
    }

    private static List<Layer> layers() {
        List<Layer> layers = new ArrayList<>();
        layers.add(new Layer(3, 224, 7, 2, 64, Tile.M128_N64_K64));
        layers.add(new Layer(64, 56, 1, 1, 64, Tile.M128_N64_K64));
        layers.add(new Layer(64, 56, 3, 1, 64, Tile.M128_N64_K128));
        layers.add(new Layer(64, 56, 1, 1, 256, Tile.M128_N128_K64));
        layers.add(new Layer(256, 56, 1, 1, 64, Tile.M128_N64_K64));
        Tile[] wide = {Tile.M128_N128_K64, Tile.M64_N64_K64, Tile.M32_N64_K128};
        Tile[] deep = {Tile.M128_N128_K64_WIDE, Tile.M64_N128_K64, Tile.M64_N64_K128};
        for (int stage = 0; stage < 3; stage++) {
            int width = 128 << stage;
            int size = 56 >> stage;
            layers.add(new Layer(2 * width, size, 1, 1, width, wide[stage]));
            layers.add(new Layer(width, size, 3, 2, width, deep[stage]));
            layers.add(new Layer(2 * width, size, 1, 2, 4 * width, deep[stage]));
            layers.add(new Layer(width, size / 2, 1, 1, 4 * width, wide[stage]));
            layers.add(new Layer(4 * width, size / 2, 1, 1, width, deep[stage]));
            layers.add(new Layer(width, size / 2, 3, 1, width, wide[stage]));
        }
        layers.add(new Layer(2048, 1, 1, 1, 1000, Tile.M16_N64_K128));
        return layers;
    }

    @Test
    void allLayersOfResNet50AreExact() {
        EmulatedKernels.available();
        List<Layer> layers = layers();
        assertEquals(24, layers.size());
        assertEquals(
                List.of(),
                layers.parallelStream().map(Layer::fault).flatMap(Optional::stream).toList());
    }

    @Test
    void theyAreExactByGroupsOfWarps() {
        EmulatedKernels.available();
        assertEquals(
                List.of(),
                layers().parallelStream()
                        .filter(layer -> layer.channels != 3)
                        .map(Layer::faultByGroup)
                        .flatMap(Optional::stream)
                        .toList());
    }
}
