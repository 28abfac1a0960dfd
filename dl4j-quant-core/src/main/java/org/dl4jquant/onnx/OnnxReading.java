// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.onnx.form.FormReading;

/**
 * An integer graph read from a model file, and the nodes that ONNX Runtime computes otherwise when
 * it is given that file.
 *
 * <p>The integer graph says what the file means. Whether ONNX Runtime runs the file in integers
 * depends on the pattern around each operator: where its optimizer does not fuse the pattern, it
 * dequantizes, computes in float32 and quantizes, and a value that lies near the middle between two
 * codes may round to the other one. Scales such as 0.1 make such values common.
 *
 * <pre>{@code
 * OnnxReading reading = OnnxReader.inspect(file);
 * System.out.println(reading.text());
 * OnnxWriter.write(reading.graph(), rewritten); // this file, ONNX Runtime runs in integers
 * }</pre>
 *
 * <p>Without deviations, ONNX Runtime returns on the file itself what every engine returns for the
 * graph, bit for bit. With deviations, the outputs in {@link #outputsThatMayDiffer} may differ on
 * the file itself; compare with the file that {@link OnnxWriter} writes of the graph, which is
 * equal. Both hold for the graph optimization levels {@code EXTENDED} and {@code ALL} ({@code ALL}
 * is ONNX Runtime's default); below, it runs every QDQ pattern in float32. On processors without
 * VNNI, the session option {@code session.x64quantprecision=1} is needed, too. (With that option,
 * ONNX Runtime 1.28.0 aborts the process on a file with int8 weights outside [-64, 63] whose
 * DequantizeLinear has no zero point; a rewritten file always has one.)
 *
 * @param graph the integer graph
 * @param deviations the nodes that ONNX Runtime may round otherwise, in the graph's order
 */
public record OnnxReading(IntGraph graph, List<OnnxDeviation> deviations) {

    /** Copies the list. */
    public OnnxReading {
        Objects.requireNonNull(graph, "graph");
        deviations = List.copyOf(deviations);
    }

    static OnnxReading of(FormReading reading) {
        return new OnnxReading(
                reading.graph(),
                reading.deviations().stream()
                        .map(
                                found ->
                                        new OnnxDeviation(
                                                found.node(), found.operator(), found.reason()))
                        .toList());
    }

    /** {@return the graph's outputs that depend on a node with a deviation} */
    public List<String> outputsThatMayDiffer() {
        Set<String> reached =
                deviations.stream().map(OnnxDeviation::node).collect(Collectors.toSet());
        Set<String> differing = new HashSet<>();
        for (IntNode node : graph.nodes()) {
            if (reached.contains(node.name())
                    || node.inputs().stream().anyMatch(differing::contains)) {
                differing.add(node.name());
            }
        }
        return graph.outputs().stream().filter(differing::contains).toList();
    }

    /** {@return one line for each deviation and how to compare, or that there is none} */
    public String text() {
        if (deviations.isEmpty()) {
            return "ONNX Runtime computes every code of this file in integers, as the graph says";
        }
        return deviations.stream()
                .map(deviation -> "  " + deviation + System.lineSeparator())
                .collect(
                        Collectors.joining(
                                "",
                                "ONNX Runtime may round these nodes of the file otherwise than the"
                                        + " integer graph:"
                                        + System.lineSeparator(),
                                "  To compare exactly, write the graph with OnnxWriter and run that"
                                        + " file; outputs that may differ here: "
                                        + outputsThatMayDiffer()));
    }
}
