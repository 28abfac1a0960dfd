// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.numeric.OutputFunction;
import org.jspecify.annotations.Nullable;

/** Counts the differences between two engines over some batches. */
final class Comparison {

    private final Engine left;
    private final Engine right;
    private final Map<String, Long> differing = new LinkedHashMap<>();
    private long examples;
    private long compared;
    private EqualityReport.@Nullable Difference first;

    Comparison(Engine left, Engine right) {
        this.left = left;
        this.right = right;
        for (IntNode node : left.graph().nodes()) {
            if (!(node instanceof Input)) {
                differing.put(node.name(), 0L);
            }
        }
    }

    void add(Map<String, Batch.Floats> inputs) {
        Map<String, Batch> leftTrace = left.trace(inputs);
        Map<String, Batch> rightTrace = right.trace(inputs);
        for (String node : differing.keySet()) {
            compare(node, result(left, leftTrace, node), result(right, rightTrace, node));
        }
        Map<String, Batch> leftOutputs = left.run(inputs);
        Map<String, Batch> rightOutputs = right.run(inputs);
        Map<String, List<OutputFunction>> functions = left.graph().functions();
        leftTrace = LastFunctions.apply(functions, leftTrace);
        rightTrace = LastFunctions.apply(functions, rightTrace);
        for (String output : left.graph().outputs()) {
            if (differing.containsKey(output)) {
                compare(
                        output,
                        result(left, leftOutputs, output),
                        result(right, rightTrace, output));
                compare(
                        output,
                        result(left, leftTrace, output),
                        result(right, rightOutputs, output));
            }
        }
        examples += inputs.values().iterator().next().size();
    }

    EqualityReport report() {
        return new EqualityReport(
                List.of(left.name(), right.name()), examples, compared, differing, first);
    }

    private static Batch result(Engine engine, Map<String, Batch> results, String node) {
        Batch result = results.get(node);
        Require.state(
                result != null, "engine '%s' gave no result of node '%s'", engine.name(), node);
        return Objects.requireNonNull(result);
    }

    private void compare(String node, Batch leftResult, Batch rightResult) {
        Require.state(
                leftResult.size() == rightResult.size()
                        && leftResult.shape().equals(rightResult.shape())
                        && leftResult.getClass() == rightResult.getClass(),
                "node '%s': %s of engine '%s' cannot be compared with %s of engine '%s'",
                node,
                leftResult,
                left.name(),
                rightResult,
                right.name());
        int count = leftResult.size() * leftResult.shape().elements();
        long found = 0;
        for (int i = 0; i < count; i++) {
            if (bits(leftResult, i) != bits(rightResult, i)) {
                found++;
                note(node, i, leftResult, rightResult);
            }
        }
        compared += count;
        differing.merge(node, found, Long::sum);
    }

    private void note(String node, int index, Batch leftResult, Batch rightResult) {
        if (first == null) {
            int elements = leftResult.shape().elements();
            first =
                    new EqualityReport.Difference(
                            node,
                            examples + index / elements,
                            index % elements,
                            List.of(number(leftResult, index), number(rightResult, index)));
        }
    }

    /* Float32 results must be equal in every bit: the contract gives their arithmetic, too. */
    private static int bits(Batch batch, int index) {
        return batch instanceof Batch.Codes codes
                ? codes.code(index)
                : Float.floatToRawIntBits(((Batch.Floats) batch).values()[index]);
    }

    private static Number number(Batch batch, int index) {
        return batch instanceof Batch.Codes codes
                ? (Number) codes.code(index)
                : (Number) ((Batch.Floats) batch).values()[index];
    }
}
