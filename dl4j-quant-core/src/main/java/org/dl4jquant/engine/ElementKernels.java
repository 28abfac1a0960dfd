// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.CodeRows;
import org.dl4jquant.numeric.CodeSum;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.IndexRuns;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** The kernels that look at one place of each input, and those that only move codes. */
final class ElementKernels {

    private ElementKernels() {}

    static Kernel quantize(QuantParams params) {
        return inputs -> {
            Batch.Floats input = (Batch.Floats) inputs.get(0);
            float[] values = input.values();
            byte[] containers = new byte[values.length * params.range().bytes()];
            for (int i = 0; i < values.length; i++) {
                params.range().encode(params.quantize(values[i]), containers, i);
            }
            return Batch.Codes.of(input.size(), input.shape(), containers, params);
        };
    }

    static Kernel dequantize(QuantParams params) {
        return inputs -> {
            Batch.Codes input = (Batch.Codes) inputs.get(0);
            float[] values = new float[input.containers().length];
            for (int i = 0; i < values.length; i++) {
                values[i] = params.dequantize(input.code(i));
            }
            return Batch.Floats.of(input.size(), input.shape(), values);
        };
    }

    static Kernel rectify(OutputFunction.Rectifier function) {
        return inputs -> {
            Batch.Floats input = (Batch.Floats) inputs.get(0);
            float[] values = input.values().clone();
            function.applyInPlace(values, input.size(), input.shape());
            return Batch.Floats.of(input.size(), input.shape(), values);
        };
    }

    static Kernel add(QuantParams leftParams, QuantParams rightParams, Output.Codes output) {
        CodeSum sum = CodeSum.of(leftParams, rightParams, output.params(), output.bounds());
        return inputs -> {
            Batch.Codes left = (Batch.Codes) inputs.get(0);
            Batch.Codes right = (Batch.Codes) inputs.get(1);
            byte[] containers = new byte[left.containers().length];
            for (int i = 0; i < containers.length; i++) {
                containers[i] = (byte) sum.code(left.code(i), right.code(i));
            }
            return Batch.Codes.of(left.size(), left.shape(), containers, output.params());
        };
    }

    static Kernel table(CodeTable table, QuantParams params) {
        return inputs -> {
            Batch.Codes input = (Batch.Codes) inputs.get(0);
            byte[] containers = new byte[input.containers().length];
            for (int i = 0; i < containers.length; i++) {
                containers[i] = table.lookUp(input.containers()[i]);
            }
            return Batch.Codes.of(input.size(), input.shape(), containers, params);
        };
    }

    static Kernel lookup(CodeRows rows, QuantParams params, Shape shape) {
        return inputs -> {
            Batch.Floats indices = (Batch.Floats) inputs.get(0);
            float[] values = indices.values();
            byte[] containers = new byte[values.length * rows.width()];
            for (int i = 0; i < values.length; i++) {
                rows.copyRow((int) values[i], containers, i * rows.width());
            }
            return Batch.Codes.of(indices.size(), shape, containers, params);
        };
    }

    /* Tables are numbered by the first dimensions, so that each is for codes in a row. */
    static Kernel tables(List<CodeTable> tables, QuantParams params) {
        return inputs -> {
            Batch.Codes input = (Batch.Codes) inputs.get(0);
            int run = input.shape().elements() / tables.size();
            byte[] containers = new byte[input.containers().length];
            for (int i = 0; i < containers.length; i++) {
                CodeTable table = tables.get(i / run % tables.size());
                containers[i] = table.lookUp(input.containers()[i]);
            }
            return Batch.Codes.of(input.size(), input.shape(), containers, params);
        };
    }

    /* Channels come first, so that an example of the result is its parts in a row. */
    static Kernel concat(List<QuantParams> params, QuantParams result, Shape shape) {
        List<CodeTable> tables =
                params.stream().map(part -> CodeTable.from(value -> value, part, result)).toList();
        return inputs -> {
            int size = inputs.get(0).size();
            byte[] containers = new byte[size * shape.elements()];
            int to = 0;
            for (int example = 0; example < size; example++) {
                for (int part = 0; part < tables.size(); part++) {
                    byte[] from = ((Batch.Codes) inputs.get(part)).containers();
                    int length = from.length / size;
                    for (int i = example * length; i < (example + 1) * length; i++) {
                        containers[to++] = tables.get(part).lookUp(from[i]);
                    }
                }
            }
            return Batch.Codes.of(size, shape, containers, result);
        };
    }

    static Kernel reshape(Shape shape) {
        return inputs -> {
            Batch input = inputs.get(0);
            return input instanceof Batch.Codes codes
                    ? Batch.Codes.of(codes.size(), shape, codes.containers(), codes.params())
                    : Batch.Floats.of(input.size(), shape, ((Batch.Floats) input).values());
        };
    }

    static Kernel moveValues(IndexMap map) {
        IndexRuns runs = IndexRuns.of(map);
        return inputs -> {
            Batch.Floats input = (Batch.Floats) inputs.get(0);
            return Batch.Floats.of(input.size(), map.shape(), runs.apply(input.values(), 0f));
        };
    }

    static Kernel move(IndexMap map, QuantParams params) {
        IndexRuns runs = IndexRuns.of(map);
        int zero = params.zeroPoint();
        boolean wide = params.range().isWide();
        return inputs -> {
            Batch.Codes input = (Batch.Codes) inputs.get(0);
            byte[] containers =
                    wide
                            ? moved(input.containers(), zero, runs)
                            : runs.apply(input.containers(), (byte) zero);
            return Batch.Codes.of(input.size(), map.shape(), containers, params);
        };
    }

    /* The lower bytes of all codes move alone, and so do the upper ones. */
    private static byte[] moved(byte[] containers, int zero, IndexRuns runs) {
        byte[] lower = runs.apply(everySecond(containers, 0), (byte) zero);
        byte[] upper = runs.apply(everySecond(containers, 1), (byte) (zero >> Byte.SIZE));
        byte[] moved = new byte[2 * lower.length];
        for (int i = 0; i < lower.length; i++) {
            moved[2 * i] = lower[i];
            moved[2 * i + 1] = upper[i];
        }
        return moved;
    }

    private static byte[] everySecond(byte[] bytes, int first) {
        byte[] half = new byte[bytes.length / 2];
        for (int i = 0; i < half.length; i++) {
            half[i] = bytes[2 * i + first];
        }
        return half;
    }

    static Kernel normalize(Normalize node, QuantParams params, Shape shape) {
        Output.Codes output = node.output();
        Normalize.Span span = node.span();
        return inputs -> {
            Batch.Codes input = (Batch.Codes) inputs.get(0);
            int[] codes = new int[input.containers().length];
            for (int i = 0; i < codes.length; i++) {
                codes[i] = input.code(i) - params.zeroPoint();
            }
            float[] values =
                    node.formula()
                            .values(codes, span.length(shape), span.inner(shape), span.reach());
            byte[] containers = new byte[codes.length];
            for (int i = 0; i < codes.length; i++) {
                int code = output.params().quantize(values[i]);
                containers[i] = (byte) output.bounds().clamp(code);
            }
            return Batch.Codes.of(input.size(), shape, containers, output.params());
        };
    }
}
