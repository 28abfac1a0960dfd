// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.List;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.Chip;
import org.dl4jquant.cuda.kernel.GemmKernel;
import org.dl4jquant.cuda.kernel.GemmProblem;
import org.dl4jquant.cuda.kernel.GemmWeights;
import org.dl4jquant.cuda.kernel.ImageLayout;
import org.dl4jquant.cuda.kernel.KernelCost;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.WeightTensor;

/**
 * How long kernels are believed to take on the best known chip of an architecture, before it is
 * known where their tensors lie.
 *
 * @param graph the graph
 * @param architecture what the kernels are compiled for
 * @param candidates which ways of products there are, and the batch
 */
record Forecast(IntGraph graph, Architecture architecture, Candidates candidates) {

    /** {@return the product that a convolution or dense layer will be, but for its pitches} */
    GemmProblem problem(IntNode node) {
        String input = node.inputs().get(0);
        ImageLayout image = Tensor.natural(graph.type(input));
        if (node instanceof Dense dense) {
            return GemmProblem.of(dense, image, graph.type(input).codes());
        }
        boolean small = image.channels() <= ImageLayout.SMALL_PITCH;
        return GemmProblem.of(
                (Convolution) node,
                small ? image.withPitch(ImageLayout.SMALL_PITCH) : image,
                graph.type(input).codes());
    }

    /** {@return the weights of a convolution or dense layer, and its output} */
    static GemmWeights.Layer layer(IntNode node) {
        return new GemmWeights.Layer(weights(node), output(node));
    }

    private static WeightTensor weights(IntNode node) {
        return ((Weighted) node).weights();
    }

    /** {@return the output of a convolution or dense layer} */
    static Output output(IntNode node) {
        return ((Weighted) node).output();
    }

    /** {@return the time of a product in microseconds, computed in its best way} */
    double micros(GemmProblem problem, List<GemmWeights.Layer> layers) {
        Candidates.Way way =
                candidates.first(problem, GemmWeights.canPack(problem, layers), architecture);
        return micros(GemmKernel.of(way.problem(), way.tactic(), architecture));
    }

    /** {@return the time of a kernel in microseconds} */
    double micros(KernelSpec kernel) {
        return KernelCost.of(kernel)
                .believedMicros(Chip.of(architecture), kernel, candidates.batches().get(0));
    }
}
