// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.onnx.wire.AttributeProto;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;
import org.dl4jquant.onnx.wire.ValueInfoProto;

/*
 * From the last operator back: an operator fits one of the same kind with the same attributes whose
 * inputs fit, in order. Constants fit constants, whatever they hold; the caller compares them.
 */
/** The comparison of a file's operators with those that a form writes, names aside. */
final class OperatorMatch {

    private final OnnxGraph expected;
    private final OnnxGraph found;
    private final Map<String, String> tensors = new HashMap<>();
    private final Map<String, Constant> constants;
    private final Set<OnnxNode> operators = Collections.newSetFromMap(new IdentityHashMap<>());

    /**
     * A constant of the file.
     *
     * @param of all constants that it is among
     * @param name its name
     * @param expectedOf all constants of what was to be found
     */
    record Constant(Constants of, String name, Constants expectedOf) {

        boolean holds(String expectedName) {
            return of.holdsSame(name, expectedOf, expectedName);
        }
    }

    /**
     * Starts a comparison.
     *
     * @param expected the graph that a form writes
     * @param found the file's graph
     */
    OperatorMatch(OnnxGraph expected, OnnxGraph found) {
        this(expected, found, new LinkedHashMap<>());
    }

    private OperatorMatch(OnnxGraph expected, OnnxGraph found, Map<String, Constant> constants) {
        this.expected = expected;
        this.found = found;
        this.constants = constants;
    }

    /** Lets a tensor that comes from outside fit any one tensor. */
    OperatorMatch from(String outside) {
        tensors.put(outside, "");
        return this;
    }

    /** {@return the file's tensor in the place of an expected one} */
    String tensor(String name) {
        return tensors.getOrDefault(name, "");
    }

    /** {@return the file's constants, by the names of the expected ones} */
    Map<String, Constant> constants() {
        return constants;
    }

    /** {@return the file's operators} */
    Set<OnnxNode> operators() {
        return operators;
    }

    /** {@return whether a tensor of the file is made as an expected one is} */
    boolean fits(String name, String inFile) {
        String known = tensors.get(name);
        if (known != null && !known.isEmpty()) {
            return known.equals(inFile);
        }
        boolean outside = known != null;
        tensors.put(name, inFile);
        if (outside) {
            return !found.constants().has(inFile);
        }
        if (expected.constants().has(name)) {
            constants.put(name, new Constant(found.constants(), inFile, expected.constants()));
            return found.constants().has(inFile);
        }
        Optional<OnnxNode> wanted = expected.maker(name);
        Optional<OnnxNode> there = found.maker(inFile);
        return wanted.isPresent()
                && there.isPresent()
                && wanted.get().outputs().indexOf(name) == there.get().outputs().indexOf(inFile)
                && fits(wanted.get(), there.get());
    }

    private boolean fits(OnnxNode wanted, OnnxNode there) {
        operators.add(there);
        List<String> inputs = wanted.inputs();
        if (!wanted.operator().equals(there.operator())
                || inputs.size() != there.inputs().size()
                || wanted.outputs().size() != there.outputs().size()
                || !sameAttributes(wanted, there)) {
            return false;
        }
        for (int i = 0; i < inputs.size(); i++) {
            if (!fits(inputs.get(i), there.inputs().get(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean sameAttributes(OnnxNode wanted, OnnxNode there) {
        List<Message> attributes = wanted.proto().get(NodeProto.ATTRIBUTE);
        List<Message> others = there.proto().get(NodeProto.ATTRIBUTE);
        return attributes.size() == others.size()
                && attributes.stream()
                        .allMatch(
                                attribute ->
                                        others.stream()
                                                .anyMatch(other -> sameValue(attribute, other)));
    }

    private boolean sameValue(Message wanted, Message there) {
        if (!wanted.get(AttributeProto.NAME).equals(there.get(AttributeProto.NAME))) {
            return false;
        }
        return wanted.has(AttributeProto.G)
                ? there.has(AttributeProto.G)
                        && sameBody(wanted.get(AttributeProto.G), there.get(AttributeProto.G))
                : wanted.withoutDefaults().equals(there.withoutDefaults());
    }

    private boolean sameBody(Message wanted, Message there) {
        OperatorMatch inside =
                new OperatorMatch(new OnnxGraph(wanted), new OnnxGraph(there), constants);
        List<String> inputs = names(wanted.get(GraphProto.INPUT));
        List<String> inputsThere = names(there.get(GraphProto.INPUT));
        List<String> outputs = inside.expected.outputs();
        List<String> outputsThere = inside.found.outputs();
        if (inputs.size() != inputsThere.size() || outputs.size() != outputsThere.size()) {
            return false;
        }
        for (int i = 0; i < inputs.size(); i++) {
            inside.tensors.put(inputs.get(i), inputsThere.get(i));
        }
        for (int i = 0; i < outputs.size(); i++) {
            if (!inside.fits(outputs.get(i), outputsThere.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static List<String> names(List<Message> values) {
        return values.stream().map(value -> value.get(ValueInfoProto.NAME)).toList();
    }
}
