// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.TileModel;

/**
 * One launch.
 *
 * @param result the graph's node that it computes
 * @param kernel the kernel, which is right for any batch
 * @param arguments its pointers; the number of examples follows them
 * @param others other kernels that compute the same codes, some perhaps faster, some for small
 *     batches only
 */
public record Step(String result, KernelSpec kernel, List<Argument> arguments, List<Way> others) {

    /**
     * A kernel and its pointers.
     *
     * @param kernel the kernel
     * @param arguments its pointers
     */
    public record Way(KernelSpec kernel, List<Argument> arguments) {

        /** Copies the arguments. */
        public Way {
            Objects.requireNonNull(kernel, "kernel");
            arguments = List.copyOf(arguments);
        }
    }

    /** Copies the lists. */
    public Step {
        Objects.requireNonNull(kernel, "kernel");
        arguments = List.copyOf(arguments);
        others = List.copyOf(others);
    }

    /**
     * One launch that is done in one way only.
     *
     * @param result the graph's node that it computes
     * @param kernel the kernel
     * @param arguments its pointers
     */
    public Step(String result, KernelSpec kernel, List<Argument> arguments) {
        this(result, kernel, arguments, List.of());
    }

    /** {@return all ways, that for any batch first} */
    public List<Way> ways() {
        List<Way> ways = new ArrayList<>();
        ways.add(new Way(kernel, arguments));
        ways.addAll(others);
        return ways;
    }

    /**
     * {@return the number of the way that should be the fastest, by the model that tiles are chosen
     * by}
     *
     * @param architecture what the kernels are compiled for
     * @param examples the batch
     */
    public int likelyFastest(Architecture architecture, int examples) {
        if (others.isEmpty()) {
            return 0;
        }
        List<Way> ways = ways();
        double[] cycles =
                ways.stream()
                        .mapToDouble(way -> cycles(way.kernel(), architecture, examples))
                        .toArray();
        return IntStream.range(0, cycles.length)
                .reduce((a, b) -> cycles[b] < cycles[a] ? b : a)
                .orElseThrow();
    }

    private static double cycles(KernelSpec kernel, Architecture architecture, int examples) {
        return kernel.launch().mostExamples() < examples
                ? Double.POSITIVE_INFINITY
                : TileModel.cycles(kernel, architecture, examples);
    }
}
