// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.StringStringEntryProto;
import org.dl4jquant.onnx.wire.TensorAnnotation;
import org.dl4jquant.onnx.wire.TensorProto;
import org.dl4jquant.onnx.wire.ValueInfoProto;

/** A graph while its operators are rewritten one after another, in the file's order. */
final class Rewriting {

    private final long opset;
    private final Map<String, Message> constants = new HashMap<>();
    private final List<Message> added = new ArrayList<>();
    private final List<Op> made = new ArrayList<>();
    private final Map<String, Op> makers = new HashMap<>();
    private final Map<String, List<Op>> quantizers = new HashMap<>();
    private final Map<String, String> aliases = new HashMap<>();
    private final Map<String, Integer> readers = new HashMap<>();
    private final Set<String> known = new HashSet<>();
    private final Set<String> fixed = new HashSet<>();
    private final Set<String> outputs = new HashSet<>();
    private final Set<String> results = new HashSet<>();
    private final Set<String> integers = new HashSet<>();
    private final Map<String, String> floats = new HashMap<>();

    Rewriting(Message graph, long opset) {
        this.opset = opset;
        for (Message tensor : graph.get(GraphProto.INITIALIZER)) {
            constants.putIfAbsent(tensor.get(TensorProto.NAME), tensor);
            known.add(tensor.get(TensorProto.NAME));
        }
        graph.get(GraphProto.INPUT).forEach(input -> fixed.add(input.get(ValueInfoProto.NAME)));
        known.addAll(fixed);
        graph.get(GraphProto.OUTPUT)
                .forEach(output -> outputs.add(output.get(ValueInfoProto.NAME)));
        graph.get(GraphProto.QUANTIZATION_ANNOTATION).forEach(this::fix);
        for (Message node : graph.get(GraphProto.NODE)) {
            Op op = new Op(node);
            op.inputs().forEach(input -> readers.merge(input, 1, Integer::sum));
            op.outputs().stream().filter(name -> !results.add(name)).forEach(fixed::add);
        }
    }

    private void fix(Message annotation) {
        fixed.add(annotation.get(TensorAnnotation.TENSOR_NAME));
        annotation
                .get(TensorAnnotation.QUANT_PARAMETER_TENSOR_NAMES)
                .forEach(entry -> fixed.add(entry.get(StringStringEntryProto.VALUE)));
    }

    /** {@return the version of ONNX's operators that the file uses} */
    long opset() {
        return opset;
    }

    /** {@return an operator that reads what stands for its inputs} */
    Op resolved(Op op) {
        List<String> inputs = op.inputs().stream().map(this::resolved).toList();
        return inputs.equals(op.inputs()) ? op : op.withInputs(inputs);
    }

    private String resolved(String name) {
        return aliases.getOrDefault(name, name);
    }

    /** Adds an operator to the graph. */
    void emit(Op op) {
        made.add(op);
        op.outputs().forEach(output -> makers.putIfAbsent(output, op));
        known.addAll(op.outputs());
        if (op.is("QuantizeLinear")) {
            quantizers.computeIfAbsent(op.input(0), values -> new ArrayList<>()).add(op);
        }
    }

    /** Adds an operator of one result, which gets a name of its own; returns the name. */
    String emit(String type, String name, List<String> inputs, Message... attributes) {
        String result = unique(name + "/" + type);
        emit(Op.of(type, name, inputs, result, List.of(attributes)));
        return result;
    }

    /** {@return a name that nothing has} */
    String unique(String preferred) {
        String name = preferred;
        for (int copy = 2; known.contains(name) || results.contains(name); copy++) {
            name = preferred + "_" + copy;
        }
        known.add(name);
        return name;
    }

    /** Adds a constant under its own name, which must be new; returns the name. */
    String constant(Message tensor) {
        String name = tensor.get(TensorProto.NAME);
        known.add(name);
        constants.put(name, tensor);
        added.add(tensor);
        return name;
    }

    Optional<Message> constant(String name) {
        return Optional.ofNullable(constants.get(name));
    }

    Optional<float[]> floats(String name) {
        return constant(name).flatMap(Tensor::floats);
    }

    Optional<long[]> integers(String name) {
        return constant(name).flatMap(Tensor::integers);
    }

    /** {@return the operator that makes a tensor, as it was emitted} */
    Optional<Op> maker(String tensor) {
        return Optional.ofNullable(makers.get(tensor));
    }

    Optional<Op> maker(String tensor, String type) {
        return maker(tensor).filter(op -> op.is(type));
    }

    boolean isReadOnce(String tensor) {
        return readers.getOrDefault(tensor, 0) == 1 && !outputs.contains(tensor);
    }

    /** {@return whether one of the operators that were emitted reads a tensor, and nothing else} */
    boolean isReadOnceNow(String tensor) {
        long reading = made.stream().filter(op -> op.inputs().contains(tensor)).count();
        return reading == 1 && !outputs.contains(tensor);
    }

    boolean isOutput(String tensor) {
        return outputs.contains(tensor);
    }

    /**
     * {@return whether a result can get the place of a tensor, so that one of the two names goes}
     *
     * @param result the result of an operator that goes
     * @param tensor the tensor that stands for it
     */
    boolean canReplace(String result, String tensor) {
        boolean single = !known.contains(result) && !fixed.contains(result);
        boolean movable = made(tensor) && !fixed.contains(tensor) && !outputs.contains(tensor);
        return single
                && known.contains(tensor)
                && !result.isEmpty()
                && (!outputs.contains(result) || movable);
    }

    private boolean made(String tensor) {
        return makers.containsKey(tensor);
    }

    /** {@return whether nothing has a name, and nothing that leaves the graph will have it} */
    boolean isFree(String result) {
        return !result.isEmpty()
                && !known.contains(result)
                && !fixed.contains(result)
                && !outputs.contains(result);
    }

    boolean isRead(String tensor) {
        return readers.containsKey(tensor) || outputs.contains(tensor);
    }

    /** {@return the type of codes: of a constant, or as the zero point of their maker says} */
    DataType type(String codes) {
        Optional<Message> typed =
                constant(codes)
                        .or(
                                () ->
                                        maker(codes, "QuantizeLinear")
                                                .flatMap(op -> constant(op.input(2))));
        return typed.flatMap(tensor -> DataType.of(tensor.get(TensorProto.DATA_TYPE)))
                .orElse(DataType.UINT8);
    }

    /** {@return the codes that an earlier QuantizeLinear makes of values, if one fits} */
    Optional<String> quantized(String values, Predicate<Op> fits) {
        return quantizers.getOrDefault(values, List.of()).stream()
                .filter(fits)
                .map(Op::output)
                .map(this::resolved)
                .findFirst();
    }

    /** {@return whether a tensor can get the name of an output} */
    boolean canMove(String tensor) {
        return made(tensor) && !fixed.contains(tensor) && !outputs.contains(tensor);
    }

    /** Lets a tensor be an output, whose maker has gone. */
    void replaceOutput(String output, String tensor) {
        makers.remove(output);
        rename(tensor, output);
    }

    /** Lets a tensor stand for a result. */
    void replace(String result, String tensor) {
        if (!outputs.contains(result)) {
            aliases.put(result, tensor);
            return;
        }
        rename(tensor, result);
        aliases.put(tensor, result);
        aliases.replaceAll((name, target) -> target.equals(tensor) ? result : target);
    }

    private void rename(String from, String to) {
        for (int i = 0; i < made.size(); i++) {
            Op op = made.get(i);
            if (op.inputs().contains(from) || op.outputs().contains(from)) {
                Op renamed =
                        op.with(
                                renamed(op.inputs(), from, to),
                                renamed(op.outputs(), from, to),
                                op.attributes());
                made.set(i, renamed);
                renamed.outputs().forEach(output -> makers.put(output, renamed));
            }
        }
        known.add(to);
        if (integers.remove(from)) {
            integers.add(to);
        }
        Optional.ofNullable(floats.remove(from)).ifPresent(reason -> floats.put(to, reason));
    }

    private static List<String> renamed(List<String> names, String from, String to) {
        return names.stream().map(name -> name.equals(from) ? to : name).toList();
    }

    /** Drops operators that were emitted. */
    void drop(List<Op> ops) {
        made.removeAll(ops);
    }

    List<Op> made() {
        return made;
    }

    Set<String> outputs() {
        return outputs;
    }

    /** Notes that ONNX Runtime computes a result in integers, whatever stands around it. */
    void isInteger(String result) {
        integers.add(result);
    }

    /** Notes why ONNX Runtime computes a result in float32. */
    void isFloat(String result, String reason) {
        floats.put(result, reason);
    }

    Rewritten rewritten(Message graph, Map<String, Rewritten.Tail> tails) {
        List<Message> initializers = new ArrayList<>(graph.get(GraphProto.INITIALIZER));
        initializers.addAll(added);
        Message rewritten =
                graph.toBuilder()
                        .set(GraphProto.NODE, made.stream().map(Op::proto).toList())
                        .set(GraphProto.INITIALIZER, initializers)
                        .build();
        return new Rewritten(true, rewritten, integers, floats, tails);
    }
}
