// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.cuda.kernel.ElementKernels;
import org.dl4jquant.cuda.kernel.ImageLayout;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.TensorType;

/** The tensors of a plan in the making: those made so far, and memory for the next. */
final class Tensors {

    private final IntGraph graph;
    private final Slices slices;
    private final Launches launches;
    private final Map<String, Tensor> made;
    private final Map<String, Tensor> reordered = new HashMap<>();

    /**
     * Gives access to the tensors of a plan.
     *
     * @param graph the graph
     * @param slices the results that lie in a concatenation
     * @param launches the buffers to add to, and the launches that reorder
     * @param made the results so far, by name; more are added while the plan is made
     */
    Tensors(IntGraph graph, Slices slices, Launches launches, Map<String, Tensor> made) {
        this.graph = graph;
        this.slices = slices;
        this.launches = launches;
        this.made = made;
    }

    /** {@return where a node's result lies} */
    Tensor get(String name) {
        return Objects.requireNonNull(made.get(name), name);
    }

    /** {@return memory for a result of float32 values} */
    Tensor floats(String name) {
        TensorType type = graph.type(name);
        return new Tensor(type, launches.buffer(name, Port.bytes(type)), 0, null);
    }

    /** {@return memory for a result of codes, in its natural layout} */
    Tensor result(String name) {
        return result(name, Tensor.natural(graph.type(name)));
    }

    /**
     * {@return memory for a result of codes: its own, or the place that a concatenation has for it}
     *
     * @param name the result
     * @param layout its layout in memory of its own
     */
    Tensor result(String name, ImageLayout layout) {
        TensorType type = graph.type(name);
        Slices.Slice slice = slices.of(name);
        if (slice == null) {
            return new Tensor(type, launches.buffer(name, layout.bytes()), 0, layout);
        }
        ImageLayout whole = Tensor.natural(graph.type(slice.concat().name()));
        String buffer = launches.buffer(slice.concat().name(), whole.bytes());
        return new Tensor(type, buffer, slice.offset(), layout.withPitch(whole.pitch()));
    }

    /** {@return a layout with the pitch that it has in memory of its own} */
    static ImageLayout alone(ImageLayout layout) {
        return layout.withPitch(ImageLayout.padded(layout.channels()));
    }

    /** {@return a node's result in its natural layout, reordered if it lies in another} */
    Tensor natural(String name) {
        return inLayout(name, Tensor.natural(graph.type(name)));
    }

    /**
     * {@return a node's result in a layout, reordered at most once; the tensor itself if only its
     * pitch is another}
     *
     * @param name the result
     * @param wanted the layout
     */
    Tensor inLayout(String name, ImageLayout wanted) {
        Tensor tensor = get(name);
        if (alone(tensor.image()).equals(alone(wanted))) {
            return tensor;
        }
        return reordered.computeIfAbsent(
                name + "\n" + alone(wanted),
                key -> {
                    ImageLayout layout = alone(wanted);
                    String buffer = launches.buffer(key, layout.bytes());
                    Tensor result = new Tensor(tensor.type(), buffer, 0, layout);
                    launches.add(
                            name, ElementKernels.reorder(tensor.image(), layout), tensor, result);
                    return result;
                });
    }
}
