// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;

/** A convolution: Conv with codes as its result, else an {@link IntegerConvolution}. */
final class ConvolutionForm implements NodeForm<Convolution> {

    @Override
    public Class<Convolution> node() {
        return Convolution.class;
    }

    @Override
    public List<String> operators() {
        List<String> operators = new ArrayList<>(List.of(Operators.CONV));
        operators.addAll(IntegerConvolution.OPERATORS);
        operators.addAll(WideForm.OPERATORS);
        return operators;
    }

    @Override
    public void write(Convolution node, FormWriter target) {
        if (node.isWide(target.type(node.input()).codes())) {
            WideForm.write(node, target);
            return;
        }
        if (!(node.output() instanceof Output.Codes codes)) {
            IntegerConvolution.write(node, target);
            return;
        }
        String result = target.floats(node);
        target.target()
                .node(
                        Operators.CONV,
                        node.name(),
                        WeightsForm.write(
                                node, node.weights(), ChannelCopies.write(node, target), target),
                        result)
                .set(NodeProto.ATTRIBUTE, attributes(node));
        target.quantize(node, result, codes.params(), codes.bounds());
    }

    static List<Message> attributes(Convolution node) {
        List<Message> attributes = WindowForm.attributes(node.window(), true);
        attributes.add(Attributes.of("group", ChannelCopies.groups(node)));
        return attributes;
    }

    @Override
    public Optional<IntNode> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator(Operators.CONV).map(conv -> read(conv, codes, source));
    }

    private static IntNode read(OnnxNode conv, QuantizedResult codes, FormReader source) {
        String input = source.codes(conv, 0);
        conv.requireInputs(2, 3);
        requireAttributes(conv);
        Output.Codes output = codes.clamped(source);
        int groups = ChannelCopies.groups(conv, source.dequantizedTensor(conv), source);
        requireGroups(conv, groups, source);
        WeightsForm.Read read =
                WeightsForm.read(
                        conv, conv.optionalInput(2), input, 0, codes.name(), groups, source);
        WeightTensor weights = read.weights();
        if (weights.shape().rank() == 5) {
            return Volumes.read(conv, read, groups, codes.name(), output, source);
        }
        return new Convolution(
                codes.name(),
                read.input(),
                weights,
                conv.window(kernel(weights.shape()), source.shape(input)),
                groups,
                output);
    }

    private static void requireGroups(OnnxNode conv, int groups, FormReader source) {
        int channels = source.shape(source.codes(conv, 0)).size(0);
        conv.require(
                groups >= 1 && channels % groups == 0,
                "has %d groups for an input of %d channels; they must share them alike",
                groups,
                channels);
    }

    static void requireAttributes(OnnxNode conv) {
        conv.requireAttributes("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides");
    }

    static Extent kernel(Shape weights) {
        return new Extent(weights.size(2), weights.size(3));
    }

    @Override
    public Optional<Convolution> result(OnnxNode last, FormReader source) {
        return IntegerConvolution.read(last, source);
    }

    @Override
    public void claim(FormReader source) {
        WideForm.claim(source);
    }
}
