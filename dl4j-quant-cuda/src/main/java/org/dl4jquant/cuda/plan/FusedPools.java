// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.GemmProblem;
import org.dl4jquant.cuda.kernel.GemmWeights;
import org.dl4jquant.cuda.kernel.ImageLayout;
import org.dl4jquant.cuda.kernel.PoolKernels;
import org.dl4jquant.cuda.kernel.Tile;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.jspecify.annotations.Nullable;

/**
 * Which max pools are computed with the convolution that they read.
 *
 * <p>That is so if nothing else reads the convolution, and if the model believes that it is worth
 * it: the convolution's codes are neither written nor read, but those that windows of two blocks
 * share are computed twice.
 */
final class FusedPools {

    private final Forecast forecast;
    private final Map<String, Work> makers = new HashMap<>();
    private final Map<String, Integer> readers = new HashMap<>();

    private FusedPools(List<Work> works, Forecast forecast) {
        this.forecast = forecast;
        for (Work work : works) {
            work.results().forEach(result -> makers.put(result, work));
            work.reads().forEach(read -> readers.merge(read, 1, Integer::sum));
        }
        forecast.graph().outputs().forEach(output -> readers.merge(output, 1, Integer::sum));
    }

    /** {@return the works with pools joined, where they stood} */
    static List<Work> joined(
            List<Work> works, IntGraph graph, Architecture architecture, Candidates candidates) {
        return new FusedPools(works, new Forecast(graph, architecture, candidates)).joined(works);
    }

    private List<Work> joined(List<Work> works) {
        Map<String, Work> joined = new HashMap<>();
        Set<String> gone = new HashSet<>();
        for (Work work : works) {
            if (work.node() instanceof MaxPool pool) {
                Work maker = maker(pool);
                if (maker != null) {
                    gone.add(pool.input());
                    joined.put(pool.name(), new Work(maker.node(), null, pool, List.of()));
                }
            }
        }
        List<Work> result = new ArrayList<>();
        for (Work work : works) {
            String name = work.results().get(0);
            if (!gone.contains(name)) {
                result.add(joined.getOrDefault(name, work));
            }
        }
        return result;
    }

    private @Nullable Work maker(MaxPool pool) {
        Work work = makers.get(pool.input());
        return work != null
                        && work.sum() == null
                        && Objects.requireNonNull(readers.get(pool.input())) == 1
                        && work.node() instanceof Convolution convolution
                        && convolution.groups() == 1
                        && convolution.output() instanceof Output.Codes
                        && isWorthIt(convolution, pool)
                ? work
                : null;
    }

    private boolean isWorthIt(Convolution convolution, MaxPool pool) {
        GemmProblem apart = forecast.problem(convolution);
        GemmProblem together = apart.withPool(pool.window());
        if (!Tile.M64_N64_K64.suits(together)) {
            return false;
        }
        List<GemmWeights.Layer> layers = List.of(Forecast.layer(convolution));
        IntGraph graph = forecast.graph();
        ImageLayout codes = Tensor.natural(graph.type(convolution.name()));
        int pitch = Tensor.natural(graph.type(pool.name())).pitch();
        double pooling =
                forecast.micros(
                        PoolKernels.max(
                                codes,
                                graph.type(convolution.name()).codes(),
                                pool.window(),
                                pitch));
        return forecast.micros(together, layers) <= forecast.micros(apart, layers) + pooling;
    }
}
