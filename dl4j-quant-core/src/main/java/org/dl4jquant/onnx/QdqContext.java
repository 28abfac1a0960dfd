// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import onnx.Onnx.GraphProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorAnnotation;
import onnx.Onnx.TensorProto.DataType;
import onnx.Onnx.TensorShapeProto;
import onnx.Onnx.ValueInfoProto;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** What is known of an ONNX graph while it is read, and the integer graph that grows from it. */
final class QdqContext {

    private final List<OnnxNode> nodes;
    private final Constants constants;
    private final Map<String, String> metadata;
    private final Map<String, List<OnnxNode>> consumers = new HashMap<>();
    private final List<String> outputs;
    private final Set<String> leaving;
    private final Map<String, TensorAnnotation> annotations = new HashMap<>();
    private final TreeMap<Integer, Input> waiting = new TreeMap<>();
    private final IntGraph.Builder builder = IntGraph.builder();
    private final Set<String> made = new HashSet<>();
    private final Set<String> int8 = new HashSet<>();
    private final boolean constantsAreInputs;
    private final Map<String, OnnxNode> makers = new HashMap<>();
    private final Set<String> usedMetadata = new HashSet<>(Set.of(Provenance.HASH));

    QdqContext(GraphProto graph, Map<String, String> metadata) {
        this.metadata = metadata;
        this.constants = new Constants(graph.getInitializerList());
        this.nodes = graph.getNodeList().stream().map(OnnxNode::new).toList();
        this.outputs = graph.getOutputList().stream().map(ValueInfoProto::getName).toList();
        this.leaving = Set.copyOf(new HashSet<>(outputs));
        for (OnnxNode node : nodes) {
            node.proto().getOutputList().forEach(output -> makers.put(output, node));
            for (String input : node.inputs()) {
                consumers.computeIfAbsent(input, name -> new ArrayList<>()).add(node);
            }
        }
        graph.getQuantizationAnnotationList()
                .forEach(annotation -> annotations.put(annotation.getTensorName(), annotation));
        graph.getInputList().stream()
                .filter(input -> !constants.has(input.getName()))
                .forEach(this::await);
        this.constantsAreInputs =
                graph.getInputList().stream().anyMatch(input -> constants.has(input.getName()));
        requireOrder(graph.getInputList());
    }

    boolean constantsAreInputs() {
        return constantsAreInputs;
    }

    /* Without it, a walk from an operator to its readers might not end. */
    private void requireOrder(List<ValueInfoProto> inputs) {
        Set<String> known = new HashSet<>();
        inputs.forEach(input -> known.add(input.getName()));
        for (OnnxNode node : nodes) {
            for (String input : node.inputs()) {
                node.require(
                        input.isEmpty() || known.contains(input) || constants.has(input),
                        "reads '%s', which no input, constant or earlier operator is; operators must"
                                + " stand after those that they read",
                        input);
            }
            for (String output : node.proto().getOutputList()) {
                node.require(
                        output.isEmpty() || (!constants.has(output) && known.add(output)),
                        "makes '%s', which something else is already; names must be unique",
                        output);
            }
        }
    }

    List<OnnxNode> nodes() {
        return nodes;
    }

    Constants constants() {
        return constants;
    }

    private void await(ValueInfoProto input) {
        String name = input.getName();
        Require.argument(
                input.getType().hasTensorType()
                        && input.getType().getTensorType().getElemType()
                                == DataType.FLOAT.getNumber(),
                "input '%s' is no float32 tensor; inputs must be, and be quantized in the graph",
                name);
        TensorShapeProto shape = input.getType().getTensorType().getShape();
        List<Integer> sizes = new ArrayList<>();
        for (int axis = 1; axis < shape.getDimCount(); axis++) {
            long size = shape.getDim(axis).getDimValue();
            Require.argument(
                    size > 0 && size <= Integer.MAX_VALUE,
                    "input '%s': the size of dimension %d is %s; all but the first, the batch, must"
                            + " be fixed",
                    name,
                    axis,
                    size == 0 ? "'" + shape.getDim(axis).getDimParam() + "'" : size);
            sizes.add((int) size);
        }
        int place = number(Provenance.INPUT_PLACE + name, waiting.size());
        Require.argument(
                waiting.putIfAbsent(place, new Input(name, shape(name, sizes))) == null,
                "metadata '%s%s' says that input '%s' is node %d, which another input is",
                Provenance.INPUT_PLACE,
                name,
                name,
                place);
    }

    private static Shape shape(String input, List<Integer> sizes) {
        try {
            return new Shape(sizes);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("input '" + input + "': " + e.getMessage(), e);
        }
    }

    private int number(String key, int otherwise) {
        usedMetadata.add(key);
        String text = metadata.get(key);
        if (text == null) {
            return otherwise;
        }
        Require.argument(
                text.matches("\\d{1,9}"), "metadata '%s' is '%s'; it must be a number", key, text);
        return Integer.parseInt(text);
    }

    /**
     * {@return the codes that metadata gives to a node, or others}
     *
     * @param key the metadata's key
     * @param otherwise the codes if there is no such metadata
     */
    CodeRange range(String key, CodeRange otherwise) {
        usedMetadata.add(key);
        String text = metadata.get(key);
        if (text == null) {
            return otherwise;
        }
        Require.argument(
                text.matches("-?\\d{1,3} \\d{1,3}"),
                "metadata '%s' is '%s'; it must be the least and the greatest code, as in '-7 7'",
                key,
                text);
        String[] ends = text.split(" ", -1);
        return new CodeRange(Integer.parseInt(ends[0]), Integer.parseInt(ends[1]));
    }

    List<OnnxNode> consumers(String tensor) {
        return consumers.getOrDefault(tensor, List.of());
    }

    /** {@return the operator that is alone in reading a tensor, which does not leave the graph} */
    Optional<OnnxNode> onlyConsumer(String tensor) {
        List<OnnxNode> readers = consumers(tensor);
        return readers.size() == 1 && !leaves(tensor)
                ? Optional.of(readers.get(0))
                : Optional.empty();
    }

    boolean leaves(String tensor) {
        return leaving.contains(tensor);
    }

    /**
     * Adds a node to the integer graph, and the inputs that stand after it.
     *
     * @param node the node
     */
    void add(IntNode node) {
        builder.add(node);
        made.add(node.name());
        addWaiting();
    }

    /** Adds the inputs whose place is next. */
    void addWaiting() {
        while (waiting.containsKey(made.size())) {
            Input input = waiting.remove(made.size());
            builder.add(input);
            made.add(input.name());
        }
    }

    boolean isCodes(String tensor) {
        return made.contains(tensor) && builder.type(tensor).isCodes();
    }

    boolean isFloats(String tensor) {
        return made.contains(tensor) && !builder.type(tensor).isCodes();
    }

    QuantParams params(String codes) {
        return builder.type(codes).codes();
    }

    Shape shape(String tensor) {
        return builder.type(tensor).shape();
    }

    IntGraph build() {
        Require.argument(
                waiting.isEmpty(), "the inputs %s have no place among the nodes", waiting.values());
        Map<String, List<OutputFunction>> functions = functions();
        for (String key : metadata.keySet()) {
            Require.argument(
                    !key.startsWith(Provenance.PREFIX) || usedMetadata.contains(key),
                    "metadata '%s' is not understood: the model was edited, or written by a newer"
                            + " version; this is version %s",
                    key,
                    Provenance.version());
        }
        return builder.build(outputs, functions);
    }

    private Map<String, List<OutputFunction>> functions() {
        Map<String, List<OutputFunction>> functions = new HashMap<>();
        for (String output : outputs) {
            String key = Provenance.FUNCTION + output;
            usedMetadata.add(key);
            usedMetadata.add(Provenance.TAIL + output);
            String text = metadata.get(key);
            if (text != null) {
                functions.put(output, OutputFunction.parse(text));
            }
        }
        return functions;
    }

    /**
     * {@return how the codes of a result stand for values}
     *
     * @param node the operator that gives scale and zero point as its inputs 1 and 2
     * @param result the name of the codes
     */
    QuantParams params(OnnxNode node, String result) {
        Optional<String> zeroPoint = node.optionalInput(2);
        boolean signed = zeroPoint.isPresent() && constants.isOf(zeroPoint.get(), DataType.INT8);
        return params(node.input(1), zeroPoint.orElse(""), signed, result);
    }

    /**
     * {@return how the codes of a result stand for values, as the graph's annotations say}
     *
     * @param node the operator that makes them
     */
    QuantParams annotatedParams(OnnxNode node) {
        Map<String, String> names = annotated(node);
        return params(
                names.getOrDefault("SCALE_TENSOR", ""),
                names.getOrDefault("ZERO_POINT_TENSOR", ""),
                false,
                node.output());
    }

    private Map<String, String> annotated(OnnxNode node) {
        TensorAnnotation annotation = annotations.get(node.output());
        node.require(
                annotation != null,
                "makes codes of unknown scale; a quantization annotation must name it");
        Map<String, String> names = new HashMap<>();
        for (StringStringEntryProto entry :
                Objects.requireNonNull(annotation).getQuantParameterTensorNamesList()) {
            names.put(entry.getKey(), entry.getValue());
        }
        node.require(
                names.containsKey("SCALE_TENSOR") && names.containsKey("ZERO_POINT_TENSOR"),
                "has a quantization annotation of %s; it must name SCALE_TENSOR and"
                        + " ZERO_POINT_TENSOR",
                names.keySet());
        return names;
    }

    /** {@return whether an annotation says how the codes of a tensor stand for values} */
    boolean isAnnotated(String tensor) {
        return annotations.containsKey(tensor);
    }

    /**
     * Checks that the codes of a result stand for values as those that it is made of.
     *
     * @param node the operator that makes them, and has an annotation
     * @param codes the codes that it moves
     */
    void requireAnnotated(OnnxNode node, String codes) {
        QuantParams params = params(codes);
        Map<String, String> names = annotated(node);
        float scale = constants.scalar(names.getOrDefault("SCALE_TENSOR", ""));
        int zeroPoint = code(names.getOrDefault("ZERO_POINT_TENSOR", ""), codes, params.range());
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

    private QuantParams params(String scale, String zeroPoint, boolean signed, String result) {
        CodeRange range =
                range(Provenance.RANGE + result, signed ? Containers.INT8 : Containers.UINT8);
        Require.argument(
                !signed || range.signed(),
                "'%s' is int8, but its codes are said to be %d to %d",
                result,
                range.min(),
                range.max());
        if (signed) {
            int8.add(result);
        }
        int inFile = zeroPoint(zeroPoint, signed);
        return new QuantParams(constants.scalar(scale), inFile - offset(result, range), range);
    }

    private int zeroPoint(String name, boolean signed) {
        if (name.isEmpty()) {
            return 0;
        }
        byte[] found = constants.bytes(name, signed ? DataType.INT8 : DataType.UINT8);
        Require.argument(
                found.length == 1,
                "zero point '%s' has %d values where one is needed",
                name,
                found.length);
        constants.requireVector(name);
        return signed ? found[0] : found[0] & 0xff;
    }

    boolean isInt8(String codes) {
        return int8.contains(codes);
    }

    /**
     * {@return whether ONNX Runtime makes int8 codes uint8: one reader, which dequantizes for one}
     */
    boolean isRaised(String codes) {
        Optional<OnnxNode> reader = onlyConsumer(codes);
        return isMadeBy(Operators.QUANTIZE, codes)
                && reader.isPresent()
                && reader.get().operator().equals(Operators.DEQUANTIZE)
                && consumers(reader.get().output()).size() + (leaves(reader.get().output()) ? 1 : 0)
                        <= 1;
    }

    private boolean isMadeBy(String operator, String tensor) {
        OnnxNode maker = makers.get(tensor);
        return maker != null && maker.operator().equals(operator);
    }

    /**
     * {@return the operators that say how codes stand for values: the quantize, the dequantizes}
     */
    List<OnnxNode> quantizers(String codes) {
        List<OnnxNode> all = new ArrayList<>();
        String unclamped =
                isMadeBy(Operators.CLIP, codes)
                        ? Objects.requireNonNull(makers.get(codes)).input(0)
                        : codes;
        if (isMadeBy(Operators.QUANTIZE, unclamped)) {
            all.add(Objects.requireNonNull(makers.get(unclamped)));
        }
        consumers(codes).stream()
                .filter(reader -> reader.operator().equals(Operators.DEQUANTIZE))
                .forEach(all::add);
        return all;
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

    /** Remembers that a result lies in the same containers as what it is made of. */
    void sameContainers(String from, String result) {
        if (isInt8(from)) {
            int8.add(result);
        }
    }

    /**
     * Checks that an operator takes codes for the values that they were made for.
     *
     * @param node an operator that gives scale and zero point as its inputs 1 and 2
     * @param codes the tensor
     */
    void requireParams(OnnxNode node, String codes) {
        QuantParams params = params(codes);
        float scale = constants.scalar(node.input(1));
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
}
