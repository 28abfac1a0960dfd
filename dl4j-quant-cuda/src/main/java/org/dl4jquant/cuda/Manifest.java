// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.Launch;
import org.dl4jquant.cuda.plan.Argument;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.cuda.plan.Step;
import org.dl4jquant.files.StrictJson;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ArrayNode;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/** The JSON of an engine file, and back. */
final class Manifest {

    private static final ObjectMapper JSON = StrictJson.mapper();

    private Manifest() {}

    static byte[] write(EngineFile engine, EngineFile.Sections sections) throws IOException {
        ObjectNode root = JSON.createObjectNode().put("compiler", engine.compiler());
        root.put("graph", engine.graph());
        ObjectNode functions = root.putObject("functions");
        engine.functions()
                .forEach((output, last) -> functions.put(output, OutputFunction.text(last)));
        ArrayNode programs = root.putArray("programs");
        for (Program program : engine.programs()) {
            write(program, sections, programs.addObject());
        }
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
    }

    private static void write(Program program, EngineFile.Sections sections, ObjectNode node) {
        Plan plan = program.plan();
        node.put("architecture", program.architecture());
        node.put("purpose", program.purpose().name());
        node.put("arenaBytes", plan.arenaBytes());
        node.put("constantBytes", plan.constants().remaining());
        write(StoredConstants.pack(plan), sections, node.putObject("constants"));
        ArrayNode expansions = node.putArray("expansions");
        for (Plan.Expansion expansion : plan.expansions()) {
            expansions
                    .addObject()
                    .put("from", expansion.from())
                    .put("to", expansion.to())
                    .put("rows", expansion.rows())
                    .put("rowBytes", expansion.rowBytes());
        }
        ArrayNode inputs = node.putArray("inputs");
        plan.inputs().forEach(port -> write(port, inputs.addObject()));
        ArrayNode outputs = node.putArray("outputs");
        plan.outputs().forEach(port -> write(port, outputs.addObject()));
        ObjectNode kernels = node.putObject("kernels");
        for (KernelSpec kernel : plan.kernels()) {
            ObjectNode child = kernels.putObject(kernel.entry());
            write(kernel, child);
            write(
                    Objects.requireNonNull(program.cubins().get(kernel.entry())),
                    sections,
                    child.putObject("cubin"));
        }
        ArrayNode steps = node.putArray("steps");
        plan.steps().forEach(step -> write(step, steps.addObject()));
    }

    private static void write(ByteBuffer bytes, EngineFile.Sections sections, ObjectNode node) {
        EngineFile.Section section = sections.add(bytes);
        node.put("offset", section.offset());
        node.put("bytes", section.bytes().remaining());
        node.put("sha256", section.sha256());
    }

    private static void write(Port port, ObjectNode node) {
        node.put("name", port.name()).put("place", port.place());
        ArrayNode shape = node.putArray("shape");
        port.type().shape().dimensions().forEach(shape::add);
        if (port.rows() > 0) {
            node.put("rows", port.rows());
        }
        QuantParams params = port.type().params();
        if (params != null) {
            node.putObject("codes")
                    .put("scale", params.scale())
                    .put("zeroPoint", params.zeroPoint())
                    .put("min", params.range().min())
                    .put("max", params.range().max());
        }
    }

    private static void write(KernelSpec kernel, ObjectNode node) {
        Launch launch = kernel.launch();
        node.put("file", kernel.file()).put("minBlocks", kernel.minBlocks());
        ObjectNode constants = node.putObject("constants");
        kernel.constants().forEach(constants::put);
        node.putObject("launch")
                .put("unitsPerExample", launch.unitsPerExample())
                .put("unitsPerBlock", launch.unitsPerBlock())
                .put("columns", launch.columns())
                .put("threads", launch.threads())
                .put("sharedBytes", launch.sharedBytes())
                .put("mostRows", launch.mostRows())
                .put("scratchBytes", launch.scratchBytes());
    }

    private static void write(Step step, ObjectNode node) {
        node.put("result", step.result());
        ArrayNode ways = node.putArray("ways");
        step.ways().forEach(way -> write(way, ways.addObject()));
    }

    private static void write(Step.Way way, ObjectNode node) {
        node.put("kernel", way.kernel().entry());
        ArrayNode arguments = node.putArray("arguments");
        for (Argument argument : way.arguments()) {
            ObjectNode child = arguments.addObject();
            if (argument instanceof Argument.Arena arena) {
                child.put("arena", arena.place()).put("slice", arena.slice());
            } else if (argument instanceof Argument.Constant constant) {
                child.put("constant", constant.offset());
            } else if (argument instanceof Argument.Input input) {
                child.put("input", input.index());
            } else if (argument instanceof Argument.Scratch) {
                child.put("scratch", true);
            }
        }
    }

    static EngineFile read(byte[] manifest, EngineFile.Loader loader) throws IOException {
        JsonNode root = JSON.readTree(manifest);
        List<Program> programs = new ArrayList<>();
        for (JsonNode node : child(root, "programs")) {
            programs.add(program(node, loader));
        }
        return new EngineFile(
                text(root, "compiler"), text(root, "graph"), functions(root), programs);
    }

    private static Map<String, List<OutputFunction>> functions(JsonNode root) {
        Map<String, List<OutputFunction>> functions = new LinkedHashMap<>();
        JsonNode children = child(root, "functions");
        for (String output : (Iterable<String>) children::fieldNames) {
            functions.put(output, OutputFunction.parse(text(children, output)));
        }
        return functions;
    }

    private static Program program(JsonNode node, EngineFile.Loader loader) throws IOException {
        String architecture = architecture(node);
        Map<String, KernelSpec> kernels = new LinkedHashMap<>();
        Map<String, ByteBuffer> cubins = new LinkedHashMap<>();
        JsonNode children = child(node, "kernels");
        for (String entry : (Iterable<String>) children::fieldNames) {
            KernelSpec kernel = kernel(children.get(entry));
            Require.argument(
                    kernel.entry().equals(entry),
                    "its manifest calls the kernel %s %s",
                    kernel.entry(),
                    entry);
            kernels.put(entry, kernel);
            String what = "the kernel " + entry + " for " + architecture;
            cubins.put(entry, section(children.get(entry), "cubin", what, loader));
        }
        List<Plan.Expansion> expansions = new ArrayList<>();
        for (JsonNode each : child(node, "expansions")) {
            expansions.add(
                    new Plan.Expansion(
                            number(each, "from"),
                            number(each, "to"),
                            integer(each, "rows"),
                            integer(each, "rowBytes")));
        }
        ByteBuffer stored = section(node, "constants", "the constants for " + architecture, loader);
        Plan plan =
                new Plan(
                        steps(node, kernels),
                        StoredConstants.unpack(stored, expansions, integer(node, "constantBytes")),
                        expansions,
                        number(node, "arenaBytes"),
                        ports(node, "inputs"),
                        ports(node, "outputs"));
        return new Program(architecture, purpose(node), plan, cubins);
    }

    private static String architecture(JsonNode node) {
        String name = text(node, "architecture");
        Require.argument(
                Stream.of(Architecture.values()).anyMatch(each -> each.target().equals(name)),
                "its manifest has the architecture '%s'; known are %s",
                name,
                Stream.of(Architecture.values()).map(Architecture::target).toList());
        return name;
    }

    private static Program.Purpose purpose(JsonNode node) {
        String name = text(node, "purpose");
        return Stream.of(Program.Purpose.values())
                .filter(purpose -> purpose.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "its manifest has the purpose '"
                                                + name
                                                + "'; known are "
                                                + List.of(Program.Purpose.values())));
    }

    private static ByteBuffer section(
            JsonNode parent, String key, String what, EngineFile.Loader loader) throws IOException {
        JsonNode node = child(parent, key);
        return loader.section(
                what, number(node, "offset"), number(node, "bytes"), text(node, "sha256"));
    }

    private static List<Port> ports(JsonNode parent, String key) {
        List<Port> ports = new ArrayList<>();
        for (JsonNode node : child(parent, key)) {
            List<Integer> shape = new ArrayList<>();
            child(node, "shape").forEach(size -> shape.add(StrictJson.integer("shape", size)));
            TensorType type = new TensorType(new Shape(shape), params(node.get("codes")));
            int rows = node.has("rows") ? integer(node, "rows") : 0;
            ports.add(new Port(text(node, "name"), type, number(node, "place"), rows));
        }
        return ports;
    }

    private static @Nullable QuantParams params(@Nullable JsonNode node) {
        if (node == null) {
            return null;
        }
        CodeRange range = new CodeRange(integer(node, "min"), integer(node, "max"));
        return new QuantParams(
                (float) StrictJson.number(node, "scale"), integer(node, "zeroPoint"), range);
    }

    private static KernelSpec kernel(JsonNode node) {
        SortedMap<String, String> constants = new TreeMap<>();
        child(node, "constants")
                .fields()
                .forEachRemaining(
                        field ->
                                constants.put(
                                        field.getKey(),
                                        text(child(node, "constants"), field.getKey())));
        JsonNode launch = child(node, "launch");
        return new KernelSpec(
                text(node, "file"),
                constants,
                new Launch(
                        number(launch, "unitsPerExample"),
                        integer(launch, "unitsPerBlock"),
                        integer(launch, "columns"),
                        integer(launch, "threads"),
                        integer(launch, "sharedBytes"),
                        integer(launch, "mostRows"),
                        integer(launch, "scratchBytes")),
                integer(node, "minBlocks"));
    }

    private static List<Step> steps(JsonNode parent, Map<String, KernelSpec> kernels) {
        List<Step> steps = new ArrayList<>();
        for (JsonNode node : child(parent, "steps")) {
            List<Step.Way> ways = new ArrayList<>();
            child(node, "ways").forEach(child -> ways.add(way(child, kernels)));
            Require.argument(!ways.isEmpty(), "its manifest has a step without a kernel");
            Step.Way first = ways.get(0);
            steps.add(
                    new Step(
                            text(node, "result"),
                            first.kernel(),
                            first.arguments(),
                            ways.subList(1, ways.size())));
        }
        return steps;
    }

    private static Step.Way way(JsonNode node, Map<String, KernelSpec> kernels) {
        KernelSpec kernel = kernels.get(text(node, "kernel"));
        Require.argument(kernel != null, "its manifest lacks the kernel %s", text(node, "kernel"));
        List<Argument> arguments = new ArrayList<>();
        child(node, "arguments").forEach(child -> arguments.add(argument(child)));
        return new Step.Way(Objects.requireNonNull(kernel), arguments);
    }

    private static Argument argument(JsonNode node) {
        if (node.has("arena")) {
            return new Argument.Arena(number(node, "arena"), number(node, "slice"));
        }
        if (node.has("constant")) {
            return new Argument.Constant(number(node, "constant"));
        }
        if (node.has("scratch")) {
            return new Argument.Scratch();
        }
        return node.has("input")
                ? new Argument.Input(integer(node, "input"))
                : new Argument.Nothing();
    }

    private static JsonNode child(JsonNode node, String key) {
        JsonNode child = node.get(key);
        Require.argument(child != null, "its manifest lacks '%s'", key);
        return Objects.requireNonNull(child);
    }

    private static String text(JsonNode node, String key) {
        child(node, key);
        return StrictJson.text(node, key);
    }

    private static long number(JsonNode node, String key) {
        return StrictJson.whole(key, child(node, key));
    }

    private static int integer(JsonNode node, String key) {
        return StrictJson.integer(key, child(node, key));
    }
}
