// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;

/*
 * Rounding keeps the order, so that clamped values have clamped codes: a Relu or Clip before the
 * QuantizeLinear and an integer Clip after it both become bounds of the codes.
 */
/**
 * Codes that a QuantizeLinear makes: the operator whose floats it rounds, and the clamps around it.
 *
 * @param quantize the QuantizeLinear
 * @param clip the integer Clip after it
 * @param operator the operator that makes the floats, before any clamp; empty if the floats are an
 *     input, a float32 result, or no operator's that is free
 * @param clamps the Relu and Clip operators between the two, the last one first
 * @param range the values that the clamps leave
 */
record QuantizedResult(
        OnnxNode quantize,
        Optional<OnnxNode> clip,
        Optional<OnnxNode> operator,
        List<OnnxNode> clamps,
        FloatRange range) {

    /** {@return the codes of a QuantizeLinear} */
    static QuantizedResult of(OnnxNode quantize, FormReader source) {
        quantize.requireInputs(2, 3);
        quantize.requireAttributes("axis");
        Optional<OnnxNode> clip = source.graph().integerClip(quantize);
        List<OnnxNode> clamps = new ArrayList<>();
        FloatRange range = FloatRange.ALL;
        String values = quantize.input(0);
        if (source.isFloats(values)) {
            return new QuantizedResult(quantize, clip, Optional.empty(), clamps, range);
        }
        Optional<OnnxNode> maker = source.graph().maker(values);
        while (maker.isPresent() && maker.get().isClamp()) {
            OnnxNode clamp = maker.get();
            FloatRange own = FloatRange.of(clamp, source.constants());
            if (source.isTaken(clamp) || !source.graph().isQuantized(clamp.output())) {
                throw misplaced(clamp);
            }
            clamp.require(own.least() <= own.most(), "clamps to %s to %s", own.least(), own.most());
            clamps.add(clamp);
            range = range.and(own);
            maker = source.graph().maker(clamp.input(0));
        }
        return new QuantizedResult(
                quantize, clip, maker.filter(node -> !source.isTaken(node)), clamps, range);
    }

    /** {@return the codes of a QuantizeLinear of a function, of which the clamps are a part} */
    static QuantizedResult ofFunction(OnnxNode quantize, FormReader source) {
        quantize.requireInputs(2, 3);
        quantize.requireAttributes("axis");
        return new QuantizedResult(
                quantize,
                source.graph().integerClip(quantize),
                Optional.empty(),
                List.of(),
                FloatRange.ALL);
    }

    /** {@return the name of the codes} */
    String name() {
        return clip.orElse(quantize).output();
    }

    /** {@return the operator, if it is of a kind} */
    Optional<OnnxNode> operator(String kind) {
        return operator.filter(node -> node.operator().equals(kind));
    }

    /** {@return codes of a scale of their own, of a node that can clamp them} */
    Output.Codes clamped(FormReader source) {
        QuantParams params = source.scales().params(quantize, name());
        return new Output.Codes(params, bounds(params, integerBounds(params, source)));
    }

    /** {@return codes of a scale of their own, of a node that cannot clamp them} */
    QuantParams rescaled(FormReader source) {
        return source.scales().params(quantize, name());
    }

    /** {@return the name of such a node: another one, if a table is to clamp its codes} */
    String rescaledName(FormReader source) {
        QuantParams params = rescaled(source);
        boolean whole = bounds(params, integerBounds(params, source)).equals(params.range());
        return whole ? name() : source.freeName(name() + "/unclamped");
    }

    /**
     * {@return the name of a node that leaves codes as they are: another one, if a table is to
     * clamp them or bring them to another scale}
     *
     * @param codes the codes that it reads
     * @param source the graph so far
     */
    String keptName(String codes, FormReader source) {
        QuantParams params = source.params(codes);
        boolean kept =
                clip.isEmpty()
                        && source.scales().haveParams(quantize, codes, params)
                        && bounds(params, params.range()).equals(params.range());
        if (!kept) {
            return source.freeName(name() + "/moved");
        }
        source.scales().sameContainers(codes, name());
        return name();
    }

    /** {@return the codes that the containers and an integer Clip leave} */
    CodeRange integerBounds(QuantParams params, FormReader source) {
        CodeRange range = params.range();
        CodeRange containers = range.signed() ? Containers.INT8 : Containers.UINT8;
        int low = bound(1, range, containers.min(), source);
        int high = bound(2, range, containers.max(), source);
        quantize.require(
                low < high && range.contains(low) && range.contains(high),
                "makes the codes %d to %d of '%s', which are said to be %d to %d",
                low,
                high,
                name(),
                range.min(),
                range.max());
        return new CodeRange(low, high);
    }

    private int bound(int input, CodeRange range, int otherwise, FormReader source) {
        return clip.flatMap(next -> next.optionalInput(input))
                .map(constant -> source.scales().code(constant, name(), range))
                .orElse(otherwise);
    }

    /** {@return the codes that remain of some when the clamps are applied} */
    CodeRange bounds(QuantParams params, CodeRange bounds) {
        OnnxNode node = operator.orElse(quantize);
        int low =
                range.least() == FloatRange.ALL.least()
                        ? bounds.min()
                        : Math.max(bounds.min(), params.quantize(range.least()));
        int high =
                range.most() == FloatRange.ALL.most()
                        ? bounds.max()
                        : Math.min(bounds.max(), params.quantize(range.most()));
        node.require(low < high, "is clamped to less than two codes, %d to %d", low, high);
        return new CodeRange(low, high);
    }

    /** {@return the exception for codes that no form takes} */
    IllegalArgumentException refusal() {
        if (!clamps.isEmpty()) {
            return misplaced(clamps.get(clamps.size() - 1));
        }
        return quantize.refusal(
                "reads '%s', which is neither an input nor the result of an operator over"
                        + " dequantized codes",
                quantize.input(0));
    }

    /** {@return the exception for a Relu or Clip that is part of no node} */
    static IllegalArgumentException misplaced(OnnxNode clamp) {
        return clamp.refusal(
                "clamps '%s'; it must stand between an operator over dequantized codes and its"
                        + " QuantizeLinear",
                clamp.input(0));
    }
}
