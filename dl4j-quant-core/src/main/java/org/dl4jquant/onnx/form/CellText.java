// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.numeric.recurrent.Cell;

/**
 * What the metadata say about a recurrent node: "lstm forward -127 127 -127 127: sigmoid; tanh".
 *
 * @param kind which cell
 * @param reverse whether the last step comes first
 * @param ranges the codes of the weights of input and hidden state, and of peepholes
 * @param functions of the gates, if there are any, and of the cell
 */
record CellText(
        Kind kind, boolean reverse, List<CodeRange> ranges, List<ElementwiseFunction> functions) {

    private static final int LSTM_BLOCKS = 4;
    private static final String FORWARD = "forward";
    private static final String REVERSE = "reverse";
    private static final Pattern FORM =
            Pattern.compile(
                    "(lstm|peephole_lstm|elman) (forward|reverse)((?: -?\\d{1,3} \\d{1,3}){2,3}):"
                            + " (.*)");

    /** The cells. */
    enum Kind {
        LSTM("lstm", 2, 2),
        PEEPHOLE_LSTM("peephole_lstm", 3, 2),
        ELMAN("elman", 2, 1);

        private final String word;
        private final int weights;
        private final int functions;

        Kind(String word, int weights, int functions) {
            this.word = word;
            this.weights = weights;
            this.functions = functions;
        }
    }

    static String of(Recurrent node) {
        List<CodeRange> ranges = new ArrayList<>();
        ranges.add(node.inputWeights().range());
        ranges.add(node.hiddenWeights().range());
        Kind kind;
        List<ElementwiseFunction> functions;
        if (node.cell() instanceof Cell.PeepholeLstm lstm) {
            kind = Kind.PEEPHOLE_LSTM;
            functions = List.of(lstm.gate(), lstm.function());
            ranges.add(lstm.peepholes().range());
        } else if (node.cell() instanceof Cell.Lstm lstm) {
            kind = Kind.LSTM;
            functions = List.of(lstm.gate(), lstm.function());
        } else {
            kind = Kind.ELMAN;
            functions = List.of(((Cell.Elman) node.cell()).function());
        }
        return new CellText(kind, node.reverse(), ranges, functions).text();
    }

    private String text() {
        StringBuilder text = new StringBuilder(kind.word);
        text.append(' ').append(reverse ? REVERSE : FORWARD);
        ranges.forEach(
                range -> text.append(' ').append(range.min()).append(' ').append(range.max()));
        List<OutputFunction> applied = new ArrayList<>();
        functions.forEach(function -> applied.add(new OutputFunction.Pointwise(function)));
        return text.append(": ").append(OutputFunction.text(applied)).toString();
    }

    static CellText parse(String text) {
        Matcher matcher = FORM.matcher(text);
        Require.argument(
                matcher.matches(),
                "'%s' is no recurrent layer that this version knows; write the file again",
                text);
        List<CodeRange> ranges = new ArrayList<>();
        String[] numbers = matcher.group(3).trim().split(" ", -1);
        for (int i = 0; i < numbers.length; i += 2) {
            ranges.add(
                    new CodeRange(Integer.parseInt(numbers[i]), Integer.parseInt(numbers[i + 1])));
        }
        List<ElementwiseFunction> functions = new ArrayList<>();
        for (OutputFunction function : OutputFunction.parse(matcher.group(4))) {
            if (function instanceof OutputFunction.Pointwise pointwise) {
                functions.add(pointwise.function());
            }
        }
        Kind kind = kind(matcher.group(1));
        CellText parsed = new CellText(kind, matcher.group(2).equals(REVERSE), ranges, functions);
        Require.argument(
                ranges.size() == kind.weights
                        && functions.size() == kind.functions
                        && parsed.text().equals(text),
                "'%s' is no recurrent layer that this version knows; write the file again",
                text);
        return parsed;
    }

    private static Kind kind(String word) {
        for (Kind kind : Kind.values()) {
            if (kind.word.equals(word)) {
                return kind;
            }
        }
        throw new IllegalArgumentException(word);
    }

    /** {@return how many rows the weights of one unit have} */
    int rows(boolean peepholes) {
        if (peepholes) {
            return Cell.PeepholeLstm.GATES;
        }
        return kind == Kind.ELMAN ? 1 : LSTM_BLOCKS;
    }

    /** {@return the cell; peepholes are read for a cell that has them} */
    Cell cell(Supplier<WeightTensor> peepholes) {
        return switch (kind) {
            case LSTM -> new Cell.Lstm(functions.get(0), functions.get(1));
            case PEEPHOLE_LSTM ->
                    new Cell.PeepholeLstm(functions.get(0), functions.get(1), peepholes.get());
            case ELMAN -> new Cell.Elman(functions.get(0));
        };
    }
}
