// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.graph.island.FloatConstant;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.graph.island.FloatOperator;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;

/** Writes the operators of a float island. They are not read back: an integer graph has none. */
final class IslandForm {

    private final FloatIsland island;
    private final GraphWriter target;
    private final Map<String, String> names = new HashMap<>();

    IslandForm(FloatIsland island, GraphWriter target) {
        this.island = island;
        this.target = target;
    }

    void write() {
        for (FloatConstant constant : island.body().constants()) {
            String name =
                    constant.isLongs()
                            ? target.longs(constant.name(), constant.longs(), constant.dimensions())
                            : target.floats(
                                    constant.name(), constant.floats(), constant.dimensions());
            names.put(constant.name(), name);
        }
        List<FloatOperator> operators = island.body().operators();
        for (int i = 0; i < operators.size(); i++) {
            FloatOperator operator = operators.get(i);
            boolean last = i == operators.size() - 1;
            String output = last ? island.output() : target.name(operator.output());
            names.put(operator.output(), output);
            write(operator, output);
        }
    }

    private void write(FloatOperator operator, String output) {
        if (operator instanceof FloatOperator.Functions functions) {
            new FunctionWriter(target, name(functions.input())).tail(functions.functions(), output);
        } else if (operator instanceof FloatOperator.Onnx plain) {
            List<Message> attributes = new ArrayList<>();
            for (FloatOperator.Attribute attribute : plain.attributes()) {
                attributes.add(
                        attribute.isList()
                                ? Attributes.of(
                                        attribute.name(),
                                        attribute.values().stream()
                                                .mapToLong(Long::longValue)
                                                .toArray())
                                : Attributes.of(attribute.name(), attribute.values().get(0)));
            }
            target.auxiliary(
                            plain.type(),
                            operator.output(),
                            plain.inputs().stream().map(this::name).toList(),
                            output)
                    .set(NodeProto.DOC_STRING, "in float32: " + island.name())
                    .set(NodeProto.ATTRIBUTE, attributes);
        }
    }

    private String name(String local) {
        return names.getOrDefault(local, local);
    }
}
