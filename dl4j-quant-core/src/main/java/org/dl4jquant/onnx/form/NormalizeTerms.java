// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.DataType;

/*
 * Sums are of int32 and int64, in which no order matters; what is float32 is one operator at a time,
 * which Java, ONNX Runtime and CUDA round alike. The sums of windows are differences of sums from
 * the first channel on, so that a window of any size is five operators.
 */
/**
 * A normalization as operators.
 *
 * @param span the codes that are summed
 * @param formula the formula
 * @param shape one example's dimensions
 * @param zeroPoint the code of 0 as it stands in the file
 */
record NormalizeTerms(Normalize.Span span, Normalization formula, Shape shape, int zeroPoint) {

    private static final String SUM = "sum";

    /**
     * {@return the values of normalized codes}
     *
     * @param codes the tensor of codes
     */
    Term values(String codes) {
        Term integers = Term.cast(DataType.INT32, "codes", new Term.Tensor(codes));
        int length = span.length(shape);
        Term numerator;
        Term spread;
        if (formula.centered()) {
            Term sum = reduced(SUM, integers);
            Term times = Term.Constant.scalar("length", DataType.INT32, length);
            Term scaled = Term.of(Operators.MUL, "scaled", integers, times);
            numerator = Term.of(Operators.SUB, "centered", scaled, sum);
            Term squares = reduced("squares", Term.of(Operators.MUL, "square", integers, integers));
            Term first =
                    Term.of(
                            Operators.MUL,
                            "scaled_squares",
                            Term.cast(DataType.INT64, "squares_long", squares),
                            Term.Constant.vector("length_long", length));
            Term longs = Term.cast(DataType.INT64, "sum_long", sum);
            Term second = Term.of(Operators.MUL, "square_of_sum", longs, longs);
            spread = Term.of(Operators.SUB, "spread", first, second);
        } else {
            Term zero = Term.Constant.scalar("zero", DataType.INT32, zeroPoint);
            numerator = Term.of(Operators.SUB, "centered", integers, zero);
            Term squares = Term.of(Operators.MUL, "square", numerator, numerator);
            spread =
                    span.reach() == Normalize.Span.ALL
                            ? reduced("squares", squares)
                            : windows(squares);
        }
        Term quotient =
                Term.of(
                        Operators.DIV,
                        "quotient",
                        Term.cast(DataType.FLOAT, "numerator", numerator),
                        divisor(Term.cast(DataType.FLOAT, "spread_float", spread)));
        return scaled(quotient);
    }

    private Term reduced(String part, Term term) {
        long[] axes = LongStream.range(span.axis() + 1L, span.end() + 1L).toArray();
        return Term.of(Operators.REDUCE_SUM, part, term, Term.Constant.vector("axes", axes));
    }

    /* From the sums of all channels up to each: that of the window's last less that before its first. */
    private Term windows(Term squares) {
        int rank = shape.rank() + 1;
        int axis = span.axis() + 1;
        long[] pads = new long[2 * rank];
        pads[axis] = span.reach() + 1L;
        pads[rank + axis] = span.reach();
        Term padded = Term.of(Operators.PAD, "padded", squares, Term.Constant.vector("pads", pads));
        Term sums =
                Term.of(
                        Operators.CUM_SUM,
                        "sums",
                        padded,
                        Term.Constant.scalar("axis", DataType.INT32, axis));
        long size = shape.size(span.axis());
        long last = 2L * span.reach() + 1;
        return Term.of(
                Operators.SUB,
                "squares",
                sliced("last", sums, last, last + size, axis),
                sliced("first", sums, 0, size, axis));
    }

    private static Term sliced(String part, Term term, long from, long to, int axis) {
        return Term.of(
                Operators.SLICE,
                part,
                term,
                Term.Constant.vector(part + "_from", from),
                Term.Constant.vector(part + "_to", to),
                Term.Constant.vector(part + "_axis", axis));
    }

    private Term divisor(Term spread) {
        Term argument = spread;
        if (formula.factor() != 1) {
            Term factor = Term.Constant.scalar("factor", DataType.FLOAT, formula.factor());
            argument = Term.of(Operators.MUL, "multiple", argument, factor);
        }
        if (formula.offset() != 0) {
            Term offset = Term.Constant.scalar("offset", DataType.FLOAT, formula.offset());
            argument = Term.of(Operators.ADD, "argument", argument, offset);
        }
        Term power = power(argument);
        return formula.least() == 0
                ? power
                : Term.of(
                        Operators.MAX,
                        "divisor",
                        power,
                        Term.Constant.scalar("least", DataType.FLOAT, formula.least()));
    }

    private Term power(Term argument) {
        int unit = 1 << Normalization.DIGITS;
        List<Term> factors = new ArrayList<>();
        for (int i = 0; i < formula.units() / unit; i++) {
            factors.add(argument);
        }
        Term root = argument;
        for (int rest = formula.units() % unit; rest != 0; rest = rest * 2 % unit) {
            root = Term.of(Operators.SQRT, "root", root);
            if (rest * 2 >= unit) {
                factors.add(root);
            }
        }
        Term product = factors.get(0);
        for (Term factor : factors.subList(1, factors.size())) {
            product = Term.of(Operators.MUL, "power", product, factor);
        }
        return product;
    }

    private Term scaled(Term quotient) {
        Term values = quotient;
        if (!formula.gains().isEmpty()) {
            values = Term.of(Operators.MUL, "gained", values, places("gains", formula.gains()));
        }
        return formula.shifts().isEmpty()
                ? values
                : Term.of(Operators.ADD, "shifted", values, places("shifts", formula.shifts()));
    }

    /* One value for all places of a row, or one for each, repeated along the dimensions after it. */
    private Term places(String part, List<Float> values) {
        List<Long> dimensions = new ArrayList<>();
        if (values.size() > 1) {
            for (int axis = span.axis(); axis < shape.rank(); axis++) {
                dimensions.add(axis < span.end() ? (long) shape.size(axis) : 1L);
            }
        }
        List<Double> wide = values.stream().map(Float::doubleValue).toList();
        return new Term.Constant(part, DataType.FLOAT, wide, dimensions);
    }
}
