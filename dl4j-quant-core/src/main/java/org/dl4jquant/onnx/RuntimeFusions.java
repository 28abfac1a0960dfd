// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.dl4jquant.graph.IntNode;
import org.dl4jquant.graph.Output;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;

/*
 * What ONNX Runtime 1.28.0 does on x86-64 at the levels EXTENDED and ALL, found by having it save the
 * graphs that it made of some ten thousand random QDQ models, and checked against it in the tests:
 *
 * - A Relu or Clip before a QuantizeLinear disappears only if the codes' range implies it. Else it
 *   stays, and what is before it is computed in float32.
 * - Codes of int8 are made uint8 only where their QuantizeLinear has one reader, a DequantizeLinear
 *   that has one reader itself, and where neither leaves the graph. ("Raised" below.)
 * - Conv and MatMul need uint8, made or given, on both sides. Add, Concat, pools and Gemm need one
 *   type on all sides. In int8, Concat and GlobalAveragePool return the same codes; Add and
 *   AveragePool round otherwise; Gemm depends on the processor.
 * - MatMul and an Add of its bias become one Gemm first.
 * - Gemm needs a zero point at the weights' DequantizeLinear; MatMul and Conv do not.
 * - Pooling to maxima and reshaping return the same codes in any form.
 */
/** Which operators of a QDQ graph ONNX Runtime does not run with the integer kernels of uint8. */
final class RuntimeFusions {

    private final QdqContext context;
    private final WeightReader weights;
    private final List<OnnxDeviation> deviations = new ArrayList<>();

    RuntimeFusions(QdqContext context, WeightReader weights) {
        this.context = context;
        this.weights = weights;
    }

    List<OnnxDeviation> deviations() {
        return deviations;
    }

    /**
     * Notes a node if ONNX Runtime may round it otherwise.
     *
     * @param made the node of the integer graph, already in the context
     * @param operator the file's operator that computes it
     * @param pending the operator with its clamps; null for float32 results
     */
    void check(IntNode made, OnnxNode operator, @Nullable Pending pending) {
        if (made instanceof IntNode.MaxPool || made instanceof IntNode.Reshape) {
            return;
        }
        cut(made, pending)
                .or(() -> weightsWithoutZeroPoint(made, operator))
                .or(() -> int8(made))
                .ifPresent(
                        reason ->
                                deviations.add(
                                        new OnnxDeviation(
                                                made.name(), described(operator), reason)));
    }

    private static String described(OnnxNode operator) {
        String name = operator.proto().getName();
        return name.isEmpty() ? operator.operator() : operator.operator() + " '" + name + "'";
    }

    @FormatMethod
    private static Optional<String> because(@FormatString String format, Object... args) {
        return Optional.of(String.format(Locale.ROOT, format, args));
    }

    /* As ONNX Runtime decides it: in float32, from the container's ends. */
    private Optional<String> cut(IntNode made, @Nullable Pending pending) {
        if (pending == null) {
            return Optional.empty();
        }
        QuantParams params = context.params(made.name());
        CodeRange ends = params.range().signed() ? Containers.INT8 : Containers.UINT8;
        float lowest = params.scale() * (ends.min() - params.zeroPoint());
        float highest = params.scale() * (ends.max() - params.zeroPoint());
        if (pending.least() <= lowest && pending.most() >= highest) {
            return Optional.empty();
        }
        return because(
                "a Relu or Clip after it clamps to %s to %s, inside the %s to %s that its codes can"
                        + " hold; ONNX Runtime computes the two in float32",
                pending.least(), pending.most(), lowest, highest);
    }

    private Optional<String> weightsWithoutZeroPoint(IntNode made, OnnxNode operator) {
        boolean biased =
                context.onlyConsumer(operator.output())
                        .filter(next -> next.operator().equals(Operators.ADD))
                        .isPresent();
        boolean gemm = operator.operator().equals(Operators.GEMM) || biased;
        if (!(made instanceof IntNode.Dense) || !gemm || weights.haveZeroPoint(operator)) {
            return Optional.empty();
        }
        return because(
                "the DequantizeLinear of its weights has no zero point; ONNX Runtime computes such"
                        + " a Gemm in float32");
    }

    private Optional<String> int8(IntNode made) {
        boolean floats =
                made instanceof IntNode.Dense dense && dense.output() instanceof Output.Floats;
        List<String> codes =
                (floats ? made.inputs().stream() : tensorsOf(made)).distinct().toList();
        List<String> int8 =
                codes.stream()
                        .filter(tensor -> context.isInt8(tensor) && !context.isRaised(tensor))
                        .toList();
        boolean anyForm =
                made instanceof IntNode.Concat || made instanceof IntNode.GlobalAveragePool;
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

    private static Stream<String> tensorsOf(IntNode node) {
        return Stream.concat(node.inputs().stream(), Stream.of(node.name()));
    }
}
