// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * ONNX Runtime 1.28.0 runs a depthwise convolution with one filter for each channel by a kernel of
 * its own, and any other with groups by one small product for each group, 20 times slower. A Gather
 * that repeats each channel as often as it has filters makes the one of the other.
 */
/**
 * A depthwise convolution with several filters for each channel, in both directions: a Gather of
 * the codes' channels, each as often as it has filters, and a convolution of as many groups.
 */
final class ChannelCopies {

    private static final int CHANNEL_AXIS = 1;

    private ChannelCopies() {}

    /** {@return how many filters see one channel, if that is to be written as copies; else 1} */
    static int multiplier(Convolution node) {
        boolean depthwise = node.groups() > 1 && node.weights().shape().size(1) == 1;
        return depthwise ? node.weights().channels() / node.groups() : 1;
    }

    /** {@return how many groups a convolution is written with} */
    static int groups(Convolution node) {
        return node.groups() * multiplier(node);
    }

    /** {@return the name of the codes that a convolution reads, after a Gather if it has copies} */
    static String write(Convolution node, FormWriter target) {
        int copies = multiplier(node);
        if (copies == 1) {
            return node.input();
        }
        GraphWriter graph = target.target();
        long[] channels =
                IntStream.range(0, groups(node)).mapToLong(group -> group / copies).toArray();
        String indices = graph.longs(node.name() + "/channels", channels);
        String copied = graph.name(node.name() + "/copies");
        graph.auxiliary(
                        Operators.GATHER,
                        node.name() + "/copy",
                        List.of(node.input(), indices),
                        copied)
                .add(NodeProto.ATTRIBUTE, Attributes.of("axis", CHANNEL_AXIS));
        return copied;
    }

    /**
     * {@return the codes that a Gather copies for the convolution that alone reads it; nothing if
     * it is no part of a convolution}
     *
     * @param node any operator
     * @param source the graph so far
     */
    static Optional<String> copied(OnnxNode node, FormReader source) {
        boolean gathers =
                node.operator().equals(Operators.GATHER)
                        && node.inputs().size() == 2
                        && source.isCodes(node.input(0))
                        && !source.graph().annotations().has(node.output());
        if (!gathers || node.integer("axis", 0) != CHANNEL_AXIS) {
            return Optional.empty();
        }
        int channels = source.shape(node.input(0)).size(0);
        return convolution(node, source.graph())
                .map(conv -> conv.integer("group", 1))
                .filter(groups -> channels > 1 && groups > channels && groups % channels == 0)
                .filter(groups -> repeats(node.input(1), groups, groups / channels, source))
                .map(groups -> node.input(0));
    }

    private static Optional<OnnxNode> convolution(OnnxNode gather, OnnxGraph graph) {
        Optional<OnnxNode> reader = graph.onlyConsumer(gather.output());
        if (reader.filter(next -> next.operator().equals(Operators.DEQUANTIZE)).isPresent()) {
            return graph.onlyConsumer(reader.get().output())
                    .filter(next -> next.operator().equals(Operators.CONV));
        }
        return reader.filter(next -> next.operator().equals(Operators.CONV_INTEGER));
    }

    private static boolean repeats(String indices, int groups, int copies, FormReader source) {
        Constants constants = source.constants();
        if (!constants.isOf(indices, DataType.INT64) || constants.dimensions(indices).size() != 1) {
            return false;
        }
        long[] found = constants.longs(indices);
        return found.length == groups
                && IntStream.range(0, groups).allMatch(group -> found[group] == group / copies);
    }

    /**
     * {@return how many groups a convolution has in the integer graph}
     *
     * @param node the operator
     * @param codes the codes that it reads, as the file names them
     * @param source the graph so far
     */
    static int groups(OnnxNode node, String codes, FormReader source) {
        int groups = node.integer("group", 1);
        return source.isCopied(codes) ? source.shape(source.original(codes)).size(0) : groups;
    }
}
