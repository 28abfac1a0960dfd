// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.numeric.recurrent.GateTables;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/**
 * A recurrent layer: the products with its input for all steps at once, then a Scan over the steps,
 * whose body computes with integers and tables. Read is what would be written, operator by
 * operator, with all constants; the metadata name the functions.
 */
final class RecurrentForm implements NodeForm<Recurrent> {

    /** The attribute that says how many tensors are read step by step. */
    static final String SCAN_INPUTS = "num_scan_inputs";

    @Override
    public Class<Recurrent> node() {
        return Recurrent.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.SCAN,
                Operators.TRANSPOSE,
                Operators.MAT_MUL_INTEGER,
                Operators.ADD,
                Operators.CAST,
                Operators.MUL,
                Operators.DIV,
                Operators.SHAPE,
                Operators.GATHER,
                Operators.CONCAT,
                Operators.EXPAND,
                Operators.UNSQUEEZE,
                Operators.ROUND,
                Operators.CLIP);
    }

    @Override
    public void write(Recurrent node, FormWriter target) {
        String name = node.name();
        target.annotate(node, node.params());
        target.note(Provenance.RECURRENT + name, CellText.of(node));
        GraphWriter graph = target.target();
        String steps = graph.name(name + "/steps");
        transpose(graph, name + "/steps_first", node.input(), steps, 2, 0, 1);
        List<String> inputs = new ArrayList<>(states(node, graph, steps, target.zeroPoint(name)));
        inputs.add(sums(node, steps, target));
        node.mask().ifPresent(mask -> inputs.add(mask(graph, name, mask)));
        List<String> results = new ArrayList<>();
        if (node.cell().remembers()) {
            results.add(graph.name(name + "/last_memory"));
            target.setMemory(name, results.get(0));
        }
        results.add(0, graph.name(name + "/last_hidden"));
        results.add(graph.name(name + "/results"));
        long backwards = node.reverse() ? 1 : 0;
        graph.node(Operators.SCAN, name, inputs, name)
                .set(NodeProto.OUTPUT, results)
                .add(
                        NodeProto.ATTRIBUTE,
                        Attributes.of(SCAN_INPUTS, node.mask().isPresent() ? 2 : 1))
                .add(
                        NodeProto.ATTRIBUTE,
                        Attributes.of(
                                "scan_input_directions",
                                node.mask().isPresent()
                                        ? new long[] {backwards, backwards}
                                        : new long[] {backwards}))
                .add(
                        NodeProto.ATTRIBUTE,
                        Attributes.of("scan_output_directions", new long[] {backwards}))
                .add(
                        NodeProto.ATTRIBUTE,
                        Attributes.of("body", RecurrentWriter.body(node, graph.body())));
        String all = results.get(results.size() - 1);
        transpose(graph, name + "/steps_last", all, name, 1, 2, 0);
    }

    /** {@return whether each step of each example counts, [steps, examples, 1]} */
    private static String mask(GraphWriter graph, String name, String mask) {
        String counts = graph.name(name + "/counts");
        graph.auxiliary(Operators.CAST, counts, List.of(mask), counts)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", DataType.BOOL.number()));
        String steps = graph.name(name + "/counts_steps_first");
        transpose(graph, steps, counts, steps, 1, 0);
        String last = graph.longs(name + "/last_axis", new long[] {2});
        return operator(graph, name, "mask", Operators.UNSQUEEZE, List.of(steps, last));
    }

    private static void transpose(
            GraphWriter graph, String preferred, String from, String to, long... axes) {
        graph.auxiliary(Operators.TRANSPOSE, preferred, List.of(from), to)
                .add(NodeProto.ATTRIBUTE, Attributes.of("perm", axes));
    }

    /** {@return the states before the first step: the codes of 0 for each example} */
    private static List<String> states(
            Recurrent node, GraphWriter graph, String steps, String zeroPoint) {
        String name = node.name();
        if (node.reads().before().isPresent()) {
            return statesBefore(node, graph, node.reads().before().get());
        }
        String sizes = operator(graph, name, "sizes", Operators.SHAPE, List.of(steps));
        String axis = graph.longs(name + "/example_axis", new long[] {1});
        String examples = operator(graph, name, "examples", Operators.GATHER, List.of(sizes, axis));
        String units = graph.longs(name + "/units", new long[] {node.units()});
        String shape = graph.name(name + "/state_shape");
        graph.auxiliary(Operators.CONCAT, shape, List.of(examples, units), shape)
                .add(NodeProto.ATTRIBUTE, Attributes.of("axis", 0));
        List<String> states = new ArrayList<>();
        states.add(operator(graph, name, "hidden", Operators.EXPAND, List.of(zeroPoint, shape)));
        if (node.cell().remembers()) {
            String zero = graph.floats(name + "/no_memory", new float[] {0});
            states.add(operator(graph, name, "memory", Operators.EXPAND, List.of(zero, shape)));
        }
        return states;
    }

    /* The codes of the memory are in float32, inside the body, too. */
    private static List<String> statesBefore(
            Recurrent node, GraphWriter graph, Recurrent.State before) {
        String name = node.name();
        List<String> states = new ArrayList<>(List.of(before.hidden()));
        if (before.memory().isPresent()) {
            String unit = graph.floats(name + "/memory_unit", new float[] {GateTables.MEMORY_STEP});
            String scaled =
                    operator(
                            graph,
                            name,
                            "memory_scaled",
                            Operators.DIV,
                            List.of(before.memory().get(), unit));
            String rounded =
                    operator(graph, name, "memory_rounded", Operators.ROUND, List.of(scaled));
            states.add(
                    operator(
                            graph,
                            name,
                            "memory_before",
                            Operators.CLIP,
                            List.of(
                                    rounded,
                                    bound(graph, name, "least", GateTables.LEAST_MEMORY),
                                    bound(graph, name, "most", GateTables.MOST_MEMORY))));
        }
        return states;
    }

    private static String bound(GraphWriter graph, String name, String what, int code) {
        return graph.floats(name + "/memory_" + what, new float[] {code});
    }

    /** {@return the sums of the input and the bias, of all steps} */
    private static String sums(Recurrent node, String steps, FormWriter target) {
        GraphWriter graph = target.target();
        String name = node.name();
        WeightTensor weights = node.inputWeights();
        String product =
                operator(
                        graph,
                        name,
                        "product",
                        Operators.MAT_MUL_INTEGER,
                        List.of(
                                steps,
                                RecurrentWriter.weights(graph, name, weights),
                                target.zeroPoint(node.input()),
                                RecurrentWriter.weightZeroPoint(graph, name)));
        String bias = graph.ints(name + "/bias", weights.bias(), weights.channels());
        String sum = operator(graph, name, "sum", Operators.ADD, List.of(product, bias));
        String values = graph.name(name + "/sum_float");
        graph.auxiliary(Operators.CAST, values, List.of(sum), values)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", DataType.FLOAT.number()));
        String multiplier =
                RecurrentWriter.multiplier(
                        graph,
                        name,
                        weights,
                        target.scale(node.input()),
                        node.cell().sumStep(node.params()));
        return operator(graph, name, "sums", Operators.MUL, List.of(values, multiplier));
    }

    private static String operator(
            GraphWriter graph, String node, String part, String operator, List<String> inputs) {
        String result = graph.name(node + '/' + part);
        graph.auxiliary(operator, result, inputs, result);
        return result;
    }

    @Override
    public void claim(FormReader source) {
        for (OnnxNode scan : source.graph().nodes()) {
            if (scan.operator().equals(Operators.SCAN)) {
                RecurrentReader.of(scan, source).parts().forEach(source::take);
            }
        }
    }

    @Override
    public Optional<Recurrent> result(OnnxNode last, FormReader source) {
        return last.operator().equals(Operators.TRANSPOSE)
                ? source.graph()
                        .maker(last.input(0), Operators.SCAN)
                        .map(scan -> RecurrentReader.of(scan, source).read())
                : Optional.empty();
    }
}
