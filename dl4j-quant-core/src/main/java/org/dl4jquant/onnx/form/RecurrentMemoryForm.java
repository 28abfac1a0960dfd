// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.RecurrentMemory;
import org.dl4jquant.numeric.recurrent.GateTables;

/** The memory after a recurrent layer's last step: a state of its Scan, times the memory's unit. */
final class RecurrentMemoryForm implements NodeForm<RecurrentMemory> {

    private static final int MEMORY = 1;

    @Override
    public Class<RecurrentMemory> node() {
        return RecurrentMemory.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.MUL);
    }

    @Override
    public void write(RecurrentMemory node, FormWriter target) {
        GraphWriter graph = target.target();
        String unit = graph.floats(node.name() + "/unit", new float[] {GateTables.MEMORY_STEP});
        graph.node(
                Operators.MUL,
                node.name(),
                List.of(target.memory(node.of().name()), unit),
                node.name());
    }

    @Override
    public Optional<RecurrentMemory> result(OnnxNode last, FormReader source) {
        if (!last.operator().equals(Operators.MUL)) {
            return Optional.empty();
        }
        return source.graph()
                .maker(last.input(0), Operators.SCAN)
                .map(scan -> read(last, scan, source));
    }

    private static RecurrentMemory read(OnnxNode last, OnnxNode scan, FormReader source) {
        last.requireInputs(2, 2);
        last.require(
                scan.outputs().size() > MEMORY + 1
                        && scan.outputs().get(MEMORY).equals(last.input(0))
                        && source.constants().scalar(last.input(1)) == GateTables.MEMORY_STEP,
                "multiplies '%s', which must be the memory after a recurrent layer, by %s",
                last.input(0),
                GateTables.MEMORY_STEP);
        return new RecurrentMemory(last.output(), RecurrentReader.of(scan, source).read());
    }
}
