// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeRows;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.FloatBias;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.numeric.recurrent.Cell;

/**
 * The SHA-256 of a graph: of its nodes' kinds, and of all their records' components in order; then
 * of its outputs and their last functions.
 *
 * <p>Components are found by reflection, so that one which is added later is never forgotten.
 * Everything is written with its length or its type before it, so no two graphs are the same bytes.
 */
final class GraphDigest {

    /* Part of the format: a class may be renamed, its name here stays. Nodes say theirs themselves. */
    private static final Map<Class<?>, String> NAMES =
            Map.ofEntries(
                    Map.entry(Cell.Lstm.class, "Lstm"),
                    Map.entry(Cell.PeepholeLstm.class, "PeepholeLstm"),
                    Map.entry(Cell.Elman.class, "Elman"),
                    Map.entry(IndexMap.class, "IndexMap"),
                    Map.entry(Normalization.class, "Normalization"),
                    Map.entry(Normalize.Span.class, "Span"),
                    Map.entry(Output.Codes.class, "Codes"),
                    Map.entry(Output.Floats.class, "Floats"),
                    Map.entry(Recurrent.Reads.class, "Reads"),
                    Map.entry(Recurrent.State.class, "State"),
                    Map.entry(Window.class, "Window"),
                    Map.entry(Window.Extent.class, "Extent"),
                    Map.entry(Shape.class, "Shape"),
                    Map.entry(CodeRange.class, "CodeRange"),
                    Map.entry(QuantParams.class, "QuantParams"),
                    Map.entry(OutputFunction.Clamp.class, "Clamp"),
                    Map.entry(OutputFunction.Slope.class, "Slope"),
                    Map.entry(OutputFunction.Pointwise.class, "Pointwise"),
                    Map.entry(OutputFunction.Softmax.class, "Softmax"),
                    Map.entry(OutputFunction.BoxGrid.class, "BoxGrid"),
                    Map.entry(ElementwiseFunction.PiecewiseLinear.class, "PiecewiseLinear"),
                    Map.entry(ElementwiseFunction.ThresholdedRelu.class, "ThresholdedRelu"),
                    Map.entry(ElementwiseFunction.Elu.class, "Elu"));

    private final DataOutputStream out;

    private GraphDigest(OutputStream out) {
        this.out = new DataOutputStream(out);
    }

    static String of(IntGraph graph) {
        try {
            MessageDigest sha256 = Checksum.sha256();
            try (OutputStream sink =
                    new DigestOutputStream(OutputStream.nullOutputStream(), sha256)) {
                GraphDigest digest = new GraphDigest(sink);
                digest.write(graph.nodes());
                digest.write(graph.outputs());
                for (String output : graph.functions().keySet()) {
                    digest.write(output);
                    digest.write(graph.functions().getOrDefault(output, List.of()));
                }
                digest.out.flush();
            }
            return HexFormat.of().formatHex(sha256.digest());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(Object value) throws IOException {
        if (value instanceof Record fields) {
            write(name(fields));
            for (RecordComponent component : fields.getClass().getRecordComponents()) {
                write(component(fields, component));
            }
        } else if (value instanceof List<?> list) {
            out.writeInt(list.size());
            for (Object element : list) {
                write(element);
            }
        } else if (value instanceof WeightTensor weights) {
            write(weights.shape());
            write(weights.range());
            if (weights.range().isWide()) {
                for (int code : weights.allCodes()) {
                    out.writeShort(code);
                }
            } else {
                out.write(weights.codes());
            }
            for (float scale : weights.scales()) {
                write(scale);
            }
            for (long bias : weights.longBias()) {
                if (bias == (int) bias) {
                    out.writeInt((int) bias);
                } else {
                    out.writeLong(bias);
                }
            }
        } else if (value instanceof CodeTable table) {
            out.write(table.entries());
        } else if (value instanceof CodeRows rows) {
            out.writeInt(rows.count());
            out.writeInt(rows.width());
            out.write(rows.containers());
        } else if (value instanceof AxisIndices indices) {
            out.writeInt(indices.size());
            for (int source : indices.toArray()) {
                out.writeInt(source);
            }
        } else if (value instanceof FloatBias bias) {
            out.writeInt(bias.size());
            for (float each : bias.toArray()) {
                write(each);
            }
        } else if (value instanceof String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            out.writeInt(bytes.length);
            out.write(bytes);
        } else if (value instanceof Integer number) {
            out.writeInt(number);
        } else if (value instanceof Float number) {
            out.writeInt(Float.floatToIntBits(number));
        } else if (value instanceof Double number) {
            out.writeLong(Double.doubleToLongBits(number));
        } else if (value instanceof Enum<?> constant) {
            write(constant.name());
        } else if (value instanceof OptionalInt number) {
            // Nothing, as in graphs from before there were free sizes.
            if (number.isPresent()) {
                write("free");
                out.writeInt(number.getAsInt());
            }
        } else if (value instanceof Optional<?> part) {
            out.writeBoolean(part.isPresent());
            if (part.isPresent()) {
                write(part.get());
            }
        } else if (value instanceof Boolean flag) {
            out.writeBoolean(flag);
        } else {
            throw new IllegalStateException("a graph with a " + value.getClass());
        }
    }

    private static String name(Record fields) {
        String name = fields instanceof IntNode node ? node.kind() : NAMES.get(fields.getClass());
        if (name == null) {
            throw new IllegalStateException("a graph with a " + fields.getClass());
        }
        return name;
    }

    private static Object component(Record fields, RecordComponent component) {
        try {
            return component.getAccessor().invoke(fields);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a record that cannot be read: " + fields, e);
        }
    }
}
