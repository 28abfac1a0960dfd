// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.KeepsCodes;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeOperation;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.onnx.foreign.Rewritten;
import org.jspecify.annotations.Nullable;

/*
 * What ONNX Runtime 1.28.0 does on x86-64 at the levels EXTENDED and ALL, found by having it save the
 * graphs that it made of some ten thousand random QDQ models, and checked against it in the tests:
 *
 * - Initializers that are inputs as well can be replaced by the caller, and are no constants.
 * - Scales and zero points of codes must be scalars, not vectors of one value.
 * - A Relu or Clip before a QuantizeLinear with a zero point disappears only if the codes' range
 *   implies it. Else it stays, and what is before it is computed in float32.
 * - Codes of int8 are made uint8 only where their QuantizeLinear has one reader, a DequantizeLinear
 *   that has one reader itself, and where neither leaves the graph. ("Raised" below.)
 * - Conv and MatMul need uint8, made or given, on both sides. Add, Concat, pools and Gemm need one
 *   type on all sides. In int8, Concat and GlobalAveragePool return the same codes; Add and
 *   AveragePool round otherwise; Gemm depends on the processor.
 * - MatMul and an Add of its bias become one Gemm first.
 * - Gemm needs the zero points of weights and codes written out; the others take a missing one for 0.
 * - Pooling to maxima and reshaping return the same codes in any form.
 */
/** Which operators of a QDQ graph ONNX Runtime does not run with the integer kernels of uint8. */
final class RuntimeFusions {

    private final FormReader source;
    private final List<FormReading.Deviation> deviations = new ArrayList<>();

    RuntimeFusions(FormReader source) {
        this.source = source;
    }

    List<FormReading.Deviation> deviations() {
        return deviations;
    }

    /**
     * Notes a node if ONNX Runtime may round it otherwise.
     *
     * @param made the node of the integer graph
     * @param last the file's operator that computes it, or the Add of its bias
     * @param codes the codes that are made of the operator's result; null for float32 results
     */
    void check(IntNode made, OnnxNode last, @Nullable QuantizedResult codes) {
        if (made instanceof KeepsCodes || isFloat(made)) {
            return;
        }
        if (made instanceof Normalize) {
            checkNormalization(made, last);
            return;
        }
        OnnxNode operator = DenseForm.product(last, source).orElse(last);
        if (source.foreign().integers().contains(last.output())) {
            return; // an operator of codes, which nothing needs to fuse
        }
        replaceable()
                .or(() -> vectors(made))
                .or(() -> cut(made, codes))
                .or(() -> noZeroPoint(made, operator))
                .or(() -> int8(made))
                .ifPresent(
                        reason ->
                                deviations.add(
                                        new FormReading.Deviation(
                                                made.name(), described(operator), reason)));
    }

    private void checkNormalization(IntNode made, OnnxNode last) {
        if (last.operator().equals(LayerNormalizations.OPERATOR)) {
            deviations.add(
                    new FormReading.Deviation(
                            made.name(),
                            described(last),
                            "ONNX Runtime computes it in float32, near the integer sums of this"
                                    + " node"));
        }
    }

    /**
     * Notes a table of float operators that runtimes compute in their own ways.
     *
     * @param made the table
     * @param quantize the QuantizeLinear that rounds the function's values
     * @param function the function
     */
    void checkFunction(Table made, OnnxNode quantize, CodeFunction function) {
        if (function.operators().isEmpty()) {
            checkRescaled(made, quantize);
        }
        List<String> inexact = function.inexact();
        if (!inexact.isEmpty()) {
            deviations.add(
                    new FormReading.Deviation(
                            made.name(),
                            described(quantize),
                            String.format(
                                    Locale.ROOT,
                                    "ONNX Runtime computes %s in float32, near the function; this"
                                            + " table holds its values rounded correctly",
                                    inexact)));
        }
    }

    /**
     * Notes codes that are brought from one scale to another.
     *
     * @param made the table that does it
     * @param quantize the QuantizeLinear of the second scale
     */
    void checkRescaled(Table made, OnnxNode quantize) {
        deviations.add(
                new FormReading.Deviation(
                        made.name(),
                        described(quantize),
                        "codes are brought from one scale to another; ONNX Runtime joins two"
                                + " quantizations in a row, also with moves between them, to one of"
                                + " a third scale"));
    }

    /**
     * Notes a last function, which runtimes compute in their own ways.
     *
     * @param output the output that it makes
     * @param tail the function
     */
    void checkTail(String output, Rewritten.Tail tail) {
        deviations.add(
                new FormReading.Deviation(
                        output,
                        "Softmax '" + tail.operator() + "'",
                        tail.quantized()
                                ? "the graph ends before it, and leaves out that its result is"
                                        + " quantized again; ONNX Runtime computes it near this"
                                : "the graph ends before it; ONNX Runtime computes it in float32"));
    }

    /* ONNX Runtime computes these in float32 in any case, as the graph does. */
    private static boolean isFloat(IntNode made) {
        return made instanceof Elementwise node
                && !CodeOperation.isFused(node.operation(), node.inputs().size());
    }

    private static String described(OnnxNode operator) {
        String name = operator.name();
        return name.isEmpty() ? operator.operator() : operator.operator() + " '" + name + "'";
    }

    @FormatMethod
    private static Optional<String> because(@FormatString String format, Object... args) {
        return Optional.of(String.format(Locale.ROOT, format, args));
    }

    private Optional<String> replaceable() {
        return source.graph().constantsAreInputs()
                ? because(
                        "initializers of the file are inputs as well, which ONNX Runtime does not"
                                + " take for constants; it may compute this in float32")
                : Optional.empty();
    }

    private Optional<String> vectors(IntNode made) {
        List<String> vectors =
                codesOf(made).stream()
                        .filter(codes -> !quantizers(codes).stream().allMatch(this::scalar))
                        .toList();
        if (vectors.isEmpty()) {
            return Optional.empty();
        }
        return because(
                "the codes %s have a scale or zero point that is a vector of one value; ONNX"
                        + " Runtime fuses scalars only",
                vectors);
    }

    private boolean scalar(OnnxNode quantizer) {
        Constants constants = source.constants();
        return constants.dimensions(quantizer.input(1)).isEmpty()
                && quantizer
                        .optionalInput(2)
                        .map(constants::dimensions)
                        .orElse(List.of())
                        .isEmpty();
    }

    /* As ONNX Runtime decides it: in float32, from the container's ends. */
    private Optional<String> cut(IntNode made, @Nullable QuantizedResult codes) {
        if (codes == null) {
            return Optional.empty();
        }
        FloatRange range = codes.range();
        QuantParams params = source.params(made.name());
        CodeRange ends = params.range().signed() ? Containers.INT8 : Containers.UINT8;
        float lowest = params.scale() * (ends.min() - params.zeroPoint());
        float highest = params.scale() * (ends.max() - params.zeroPoint());
        boolean clamped =
                range.least() != Float.NEGATIVE_INFINITY || range.most() != Float.POSITIVE_INFINITY;
        if (clamped && !haveZeroPoints(List.of(made.name()))) {
            return because(
                    "a Relu or Clip stands before a QuantizeLinear without a zero point; ONNX"
                            + " Runtime computes the two in float32");
        }
        if (range.least() <= lowest && range.most() >= highest) {
            return Optional.empty();
        }
        return because(
                "a Relu or Clip after it clamps to %s to %s, inside the %s to %s that its codes can"
                        + " hold; ONNX Runtime computes the two in float32",
                range.least(), range.most(), lowest, highest);
    }

    private Optional<String> noZeroPoint(IntNode made, OnnxNode operator) {
        boolean biased =
                source.graph()
                        .onlyConsumer(operator.output())
                        .filter(next -> next.operator().equals(Operators.ADD))
                        .isPresent();
        boolean gemm = operator.operator().equals(Operators.GEMM) || biased;
        if (!(made instanceof Dense) || !gemm) {
            return Optional.empty();
        }
        if (WeightsForm.haveZeroPoint(operator, source) && haveZeroPoints(codesOf(made))) {
            return Optional.empty();
        }
        return because(
                "a DequantizeLinear of its weights or codes has no zero point; ONNX Runtime"
                        + " computes such a Gemm in float32");
    }

    private boolean haveZeroPoints(List<String> codes) {
        return codes.stream()
                .flatMap(tensor -> quantizers(tensor).stream())
                .allMatch(node -> node.optionalInput(2).isPresent());
    }

    private Optional<String> int8(IntNode made) {
        List<String> codes = codesOf(made);
        List<String> int8 =
                codes.stream()
                        .filter(tensor -> source.scales().isInt8(tensor) && !isRaised(tensor))
                        .toList();
        boolean anyForm = made instanceof Concat || made instanceof GlobalAveragePool;
        if (int8.isEmpty() || (anyForm && int8.size() == codes.size())) {
            return Optional.empty();
        }
        return because(
                "the codes %s stay int8 in ONNX Runtime, which computes this in float32 or with a"
                        + " kernel that rounds otherwise; it makes codes uint8 where one"
                        + " DequantizeLinear reads them for one operator and neither of the two is"
                        + " an output",
                int8);
    }

    private List<String> codesOf(IntNode node) {
        return Stream.concat(node.inputs().stream(), Stream.of(node.name()))
                .filter(source::isCodes)
                .map(source::inFile)
                .distinct()
                .toList();
    }

    /* ONNX Runtime makes int8 codes uint8 where one reader dequantizes them for one operator. */
    private boolean isRaised(String codes) {
        OnnxGraph graph = source.graph();
        Optional<OnnxNode> reader = graph.onlyConsumer(codes);
        return graph.maker(codes, Operators.QUANTIZE).isPresent()
                && reader.isPresent()
                && reader.get().operator().equals(Operators.DEQUANTIZE)
                && graph.consumers(reader.get().output()).size()
                                + (graph.leaves(reader.get().output()) ? 1 : 0)
                        <= 1;
    }

    /**
     * {@return the operators that say how codes stand for values: the quantize, the dequantizes}
     */
    private List<OnnxNode> quantizers(String codes) {
        OnnxGraph graph = source.graph();
        String unclamped =
                graph.maker(codes, Operators.CLIP).map(clip -> clip.input(0)).orElse(codes);
        List<OnnxNode> all = new ArrayList<>();
        graph.maker(unclamped, Operators.QUANTIZE).ifPresent(all::add);
        graph.consumers(codes).stream()
                .filter(reader -> reader.operator().equals(Operators.DEQUANTIZE))
                .forEach(all::add);
        return all;
    }
}
