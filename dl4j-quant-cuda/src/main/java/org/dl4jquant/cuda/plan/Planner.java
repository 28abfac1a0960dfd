// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.ElementKernels;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.TensorType;

/** Makes plans of graphs. */
public final class Planner {

    private final IntGraph graph;
    private final Launches launches = new Launches();
    private final ConstantPool constants = new ConstantPool();
    private final Map<String, Tensor> tensors = new HashMap<>();

    private Planner(IntGraph graph) {
        GpuSupport.require(graph);
        this.graph = graph;
    }

    /**
     * {@return the plan of a graph's outputs: residual sums are computed with the convolutions that
     * feed them, max pools too where it is worth it, layers that read the same are one product,
     * parts of concatenations are written in place, and tensors share memory}
     *
     * @param graph the graph
     * @param architecture what the kernels are compiled for
     * @param examples the batch that it is mostly run with; it runs with any
     * @throws IllegalArgumentException if a node has no kernel, which the message names
     */
    public static Plan run(IntGraph graph, Architecture architecture, int examples) {
        return run(graph, architecture, Candidates.best(examples));
    }

    /**
     * {@return the plan of a graph's outputs, whose products are computed in one of several ways}
     *
     * @param graph the graph
     * @param architecture what the kernels are compiled for
     * @param candidates which ways
     * @throws IllegalArgumentException if a node has no kernel, which the message names
     */
    public static Plan run(IntGraph graph, Architecture architecture, Candidates candidates) {
        Planner planner = new Planner(graph);
        Slices slices = Slices.of(graph);
        List<Work> works =
                Siblings.stacked(
                        FusedPools.joined(Fusion.of(graph), graph, architecture, candidates),
                        graph,
                        slices,
                        architecture,
                        candidates);
        planner.add(works, slices, architecture, candidates);
        return planner.plan(graph.outputs());
    }

    /**
     * {@return the plan of every node's result but the inputs', in the graph's order}
     *
     * @param graph the graph
     * @param architecture what the kernels are compiled for
     * @throws IllegalArgumentException if a node has no kernel, which the message names
     */
    public static Plan trace(IntGraph graph, Architecture architecture) {
        Planner planner = new Planner(graph);
        planner.add(Fusion.none(graph), Slices.none(), architecture, Candidates.best(1));
        List<String> all = new ArrayList<>();
        for (IntNode node : graph.nodes()) {
            if (!(node instanceof Input)) {
                all.add(node.name());
            }
        }
        return planner.plan(all);
    }

    private void add(
            List<Work> works, Slices slices, Architecture architecture, Candidates candidates) {
        for (Input input : graph.inputs()) {
            TensorType type = graph.type(input.name());
            String buffer = launches.buffer(input.name(), Port.bytes(type));
            launches.input(buffer);
            tensors.put(input.name(), new Tensor(type, buffer, 0, null));
        }
        Tensors made = new Tensors(graph, slices, launches, tensors);
        Products products =
                new Products(graph, made, launches, constants, architecture, candidates);
        Workshop workshop = new Workshop(graph, works, slices, made, products, launches, constants);
        works.forEach(work -> tensors.putAll(workshop.make(work)));
    }

    private Plan plan(List<String> wanted) {
        Map<String, String> buffers = new LinkedHashMap<>();
        Map<Object, String> unpacked = new HashMap<>();
        for (String name : wanted) {
            Tensor tensor = Objects.requireNonNull(tensors.get(name));
            Object bytes = List.of(tensor.buffer(), tensor.slice(), "" + tensor.layout());
            buffers.put(
                    name,
                    tensor.type().isCodes()
                            ? unpacked.computeIfAbsent(bytes, key -> unpack(name, tensor))
                            : tensor.buffer());
        }
        buffers.values().forEach(launches::output);
        MemoryPlan memory = launches.memory();
        List<Port> inputs = new ArrayList<>();
        Map<String, Integer> limits = graph.indexLimits();
        graph.inputs()
                .forEach(
                        input ->
                                inputs.add(
                                        new Port(
                                                input.name(),
                                                graph.type(input.name()),
                                                memory.place(input.name()),
                                                limits.getOrDefault(input.name(), 0))));
        List<Port> outputs = new ArrayList<>();
        buffers.forEach((name, buffer) -> outputs.add(port(name, buffer, memory)));
        return new Plan(
                launches.steps(memory),
                constants.toBuffer(),
                constants.expansions(),
                memory.bytes(),
                inputs,
                outputs);
    }

    /* Codes leave in the graph's order, without gaps. */
    private String unpack(String name, Tensor tensor) {
        String buffer = launches.buffer(name + "\nunpacked", Port.bytes(tensor.type()));
        Tensor result = new Tensor(tensor.type(), buffer, 0, null);
        launches.add(name, ElementKernels.unpack(tensor.image()), tensor, result);
        return buffer;
    }

    private Port port(String name, String buffer, MemoryPlan memory) {
        return new Port(name, graph.type(name), memory.place(buffer));
    }
}
