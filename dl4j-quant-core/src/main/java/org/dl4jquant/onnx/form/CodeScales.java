// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.onnx.wire.DataType;

/** Reads how codes stand for values, and in which containers they lie in the file. */
final class CodeScales {

    private final OnnxGraph graph;
    private final GraphMetadata metadata;
    private final Set<String> int8 = new HashSet<>();

    CodeScales(OnnxGraph graph, GraphMetadata metadata) {
        this.graph = graph;
        this.metadata = metadata;
    }

    /**
     * {@return how the codes of a result stand for values}
     *
     * @param node the operator that gives scale and zero point as its inputs 1 and 2
     * @param result the name of the codes
     */
    QuantParams params(OnnxNode node, String result) {
        Optional<String> zeroPoint = node.optionalInput(2);
        boolean signed =
                zeroPoint.isPresent() && graph.constants().isOf(zeroPoint.get(), DataType.INT8);
        return params(node.input(1), zeroPoint.orElse(""), signed, result);
    }

    /**
     * {@return how the codes of a result stand for values, as the graph's annotations say}
     *
     * @param node the operator that makes them
     */
    QuantParams annotatedParams(OnnxNode node) {
        Annotations.Names names = graph.annotations().of(node);
        return params(names.scale(), names.zeroPoint(), false, node.output());
    }

    private QuantParams params(String scale, String zeroPoint, boolean signed, String result) {
        CodeRange range =
                metadata.range(
                        Provenance.RANGE, result, signed ? Containers.INT8 : Containers.UINT8);
        Require.argument(
                !signed || range.signed(),
                "'%s' is int8, but its codes are said to be %d to %d",
                result,
                range.min(),
                range.max());
        Require.argument(
                !range.isWide()
                        || (!zeroPoint.isEmpty()
                                && graph.constants().isOf(zeroPoint, DataType.FLOAT)),
                "'%s' is bytes, but its codes are said to be %d to %d",
                result,
                range.min(),
                range.max());
        if (signed) {
            int8.add(result);
        }
        int inFile = zeroPoint(zeroPoint, signed);
        return new QuantParams(
                graph.constants().scalar(scale), inFile - offset(result, range), range);
    }

    private int zeroPoint(String name, boolean signed) {
        if (name.isEmpty()) {
            return 0;
        }
        if (graph.constants().isOf(name, DataType.FLOAT)) {
            return wideCode(name);
        }
        byte[] found = graph.constants().bytes(name, signed ? DataType.INT8 : DataType.UINT8);
        Require.argument(
                found.length == 1,
                "zero point '%s' has %d values where one is needed",
                name,
                found.length);
        graph.constants().requireVector(name);
        return signed ? found[0] : found[0] & 0xff;
    }

    /* Codes of 16 bits are float32 in the file. */
    private int wideCode(String name) {
        float code = graph.constants().scalar(name);
        Require.argument(
                code == Math.rint(code) && Math.abs(code) <= 0xffff,
                "zero point '%s' is %s, which is no code of 16 bits",
                name,
                code);
        return (int) code;
    }

    boolean isInt8(String codes) {
        return int8.contains(codes);
    }

    private int offset(String codes, CodeRange range) {
        return isInt8(codes) ? 0 : Containers.offset(range);
    }

    /**
     * {@return the code that a constant of the file is for a tensor}
     *
     * @param name an initializer of one value
     * @param codes the tensor
     * @param range the tensor's codes
     */
    int code(String name, String codes, CodeRange range) {
        return zeroPoint(name, isInt8(codes)) - offset(codes, range);
    }

    /**
     * {@return the code that a byte of the file is for a tensor}
     *
     * @param inFile the byte
     * @param codes the tensor
     * @param range the tensor's codes
     */
    int codeOfByte(int inFile, String codes, CodeRange range) {
        return inFile - offset(codes, range);
    }

    /** Remembers that a result lies in the same containers as the codes that it is made of. */
    void sameContainers(String from, String result) {
        if (isInt8(from)) {
            int8.add(result);
        }
    }

    /**
     * {@return whether a QuantizeLinear makes codes as those of a tensor, in the same containers}
     *
     * @param quantize the operator
     * @param codes the tensor
     * @param params how its codes stand for values
     */
    boolean haveParams(OnnxNode quantize, String codes, QuantParams params) {
        Optional<String> zeroPoint = quantize.optionalInput(2);
        boolean signed =
                zeroPoint.isPresent() && graph.constants().isOf(zeroPoint.get(), DataType.INT8);
        return signed == isInt8(codes)
                && graph.constants().scalar(quantize.input(1)) == params.scale()
                && zeroPoint.map(name -> code(name, codes, params.range())).orElse(0)
                        == params.zeroPoint();
    }

    /**
     * Checks that an operator takes codes for the values that they were made for.
     *
     * @param node an operator that gives scale and zero point as its inputs 1 and 2
     * @param codes the tensor
     * @param params how its codes stand for values
     */
    void requireParams(OnnxNode node, String codes, QuantParams params) {
        float scale = graph.constants().scalar(node.input(1));
        int zeroPoint =
                node.optionalInput(2).map(name -> code(name, codes, params.range())).orElse(0);
        node.require(
                scale == params.scale() && zeroPoint == params.zeroPoint(),
                "has scale %s and zero point %d, but '%s' has scale %s and zero point %d; they must"
                        + " be equal",
                scale,
                zeroPoint,
                codes,
                params.scale(),
                params.zeroPoint());
    }

    /**
     * Checks that the codes of a result stand for values as those that it is made of.
     *
     * @param node the operator that makes them, and has an annotation
     * @param codes the codes that it moves
     * @param params how these stand for values
     */
    void requireAnnotated(OnnxNode node, String codes, QuantParams params) {
        Annotations.Names names = graph.annotations().of(node);
        float scale = graph.constants().scalar(names.scale());
        int zeroPoint = code(names.zeroPoint(), codes, params.range());
        node.require(
                scale == params.scale() && zeroPoint == params.zeroPoint(),
                "has an annotation of scale %s and zero point %d, but the codes '%s' have scale %s"
                        + " and zero point %d; moved codes keep both",
                scale,
                zeroPoint,
                codes,
                params.scale(),
                params.zeroPoint());
    }
}
