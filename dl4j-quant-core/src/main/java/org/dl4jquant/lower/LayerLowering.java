// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.layer.IntegerParameters;
import org.dl4jquant.layer.OutputFunctions;
import org.dl4jquant.layer.PointwiseActivation;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.network.Frozen;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.scheme.Fp16Format;
import org.dl4jquant.scheme.Granularity;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.TensorScheme;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;

/** Lowers one layer: with its integer parameters if it is quantized, as a move of codes if not. */
final class LayerLowering {

    private static final String SUPPORTED =
            "layers that lower are ConvolutionLayer, DepthwiseConvolution2D, DenseLayer,"
                    + " OutputLayer, SubsamplingLayer (max, average), GlobalPoolingLayer (max,"
                    + " average), ActivationLayer, DropoutLayer and losses";

    /* By the exact class: a subclass may compute anything. */
    private static final Set<Class<?>> WITHOUT_WEIGHTS =
            Set.of(
                    ActivationLayer.class,
                    DropoutLayer.class,
                    GlobalPoolingLayer.class,
                    Pooling2D.class,
                    SubsamplingLayer.class);

    private final GraphBuilder graph;
    private final String name;

    LayerLowering(GraphBuilder graph, String name) {
        this.graph = graph;
        this.name = name;
    }

    Signal lower(Layer layer, Signal input) {
        Optional<QuantizedLayer> quantized = QuantizedLayers.configuration(layer);
        if (quantized.isEmpty()) {
            return lowerUnquantized(Frozen.inside(layer.conf().getLayer()), input);
        }
        requireFinite(layer);
        requireIntegerPrecision(quantized.get());
        requireIntegers(quantized.get());
        requireScalePerChannel(quantized.get());
        IntegerParameters parameters = QuantizedLayers.integerParameters(layer).orElseThrow();
        if (parameters.weights() == null) {
            requireIntegerSchemes(layer, quantized.get());
            requireKnownFunction(quantized.get());
        }
        return lowerQuantized(quantized.get(), parameters, input);
    }

    private void requireFinite(Layer layer) {
        String lost = NonFinite.firstName(layer.paramTable());
        if (lost != null) {
            throw new LoweringException(
                    name,
                    "its parameter \"" + lost + "\" is NaN or infinite",
                    "training has diverged: go back to the last good checkpoint, and lower the"
                            + " learning rate or clip the gradients");
        }
    }

    /* A layer that has an integer form computes in float if something of it is not in codes. */
    private void requireIntegerSchemes(Layer layer, QuantizedLayer quantized) {
        org.deeplearning4j.nn.conf.layers.Layer conf = quantized.getUnderlying();
        if (!QuantizedLayers.hasIntegerArithmetic(conf)) {
            return;
        }
        if (layer.params().dataType() != DataType.FLOAT) {
            throw new LoweringException(
                    name,
                    "it computes in " + layer.params().dataType(),
                    "lower what network.convertDataType(DataType.FLOAT) returns");
        }
        LayerQuantizers quantizers = quantized.quantizers();
        if (quantizers.weights() == null || !(quantizers.weights().format() instanceof IntFormat)) {
            throw inFloat(conf, "its weights are not rounded to integers");
        }
        boolean codes = quantizers.input() != null && quantizers.input().isInteger();
        if (!codes && quantizers.inputFrom() == null) {
            throw inFloat(conf, "its input is not rounded to integers");
        }
    }

    private LoweringException inFloat(org.deeplearning4j.nn.conf.layers.Layer conf, String why) {
        return new LoweringException(
                name,
                "this " + conf.getClass().getSimpleName() + " computes in float, because " + why,
                "prepare the network with integers for its weights and its activations");
    }

    private void requireKnownFunction(QuantizedLayer quantized) {
        org.deeplearning4j.nn.conf.layers.Layer conf = quantized.getUnderlying();
        boolean arithmetic =
                conf instanceof ActivationLayer || QuantizedLayers.hasIntegerArithmetic(conf);
        IActivation function = PointwiseActivation.functionBehind(conf, quantized.activation());
        if (!arithmetic || PointwiseActivation.of(function).isPresent()) {
            return;
        }
        throw new LoweringException(
                name,
                "its activation function "
                        + function.getClass().getName()
                        + " is not one that the integer graph has",
                "functions that lower are DL4J's own, each of them by its exact class, without"
                        + " Softmax, RReLU and PReLU");
    }

    private void requireIntegerPrecision(QuantizedLayer layer) {
        Precision precision = layer.precision();
        if (precision != null && !precision.isInteger()) {
            throw new LoweringException(
                    name,
                    "its training is in a stage of " + precision,
                    "train on until a stage of integers has begun, or end the schedule with"
                            + " PrecisionSchedule.finish(network)");
        }
    }

    private void requireIntegers(QuantizedLayer layer) {
        LayerQuantizers quantizers = layer.quantizers();
        ActivationScheme result = quantizers.result();
        boolean half =
                (quantizers.weights() != null
                                && quantizers.weights().format() instanceof Fp16Format)
                        || (result != null && !result.isInteger());
        if (half) {
            throw new LoweringException(
                    name,
                    "it is in half precision, as LayerSensitivity.protect(count) leaves the layers"
                            + " that rounding harms most, and the integer graph has integers only",
                    "prepare the float network with more bits for it, such as"
                            + " spec.with(LayerSelector.named(\""
                            + name
                            + "\"), LayerScheme.INT8) or protect(count, LayerScheme.INT8)");
        }
    }

    private void requireScalePerChannel(QuantizedLayer layer) {
        TensorScheme weights = layer.quantizers().weights();
        if (weights != null && weights.granularity() instanceof Granularity.PerGroup group) {
            throw new LoweringException(
                    name,
                    "its weights have a scale for each group of "
                            + group.size()
                            + " inputs, and the integer graph has one for each output channel",
                    "prepare it with Granularity.PER_CHANNEL, or keep it out of the deployed"
                            + " network");
        }
    }

    /* Layers that move codes and compute nothing. */
    private Signal lowerUnquantized(org.deeplearning4j.nn.conf.layers.Layer conf, Signal input) {
        if (ResultLowering.ends(conf)) {
            return new ResultLowering(graph, name).lower(conf, input);
        }
        if (!WITHOUT_WEIGHTS.contains(conf.getClass())) {
            throw conf instanceof BaseLayer ? inFloat(conf) : unsupported(conf);
        }
        if (conf instanceof DropoutLayer || isIdentity(conf)) {
            return input;
        }
        if (conf instanceof SubsamplingLayer pool && pool.getPoolingType() == PoolingType.MAX) {
            String codes = graph.codes(name, input);
            Window window = Windows.of(name, pool, graph.type(codes).shape());
            return new Signal.Codes(graph.add(new MaxPool(name, codes, window)));
        }
        if (conf instanceof GlobalPoolingLayer pool && pool.getPoolingType() == PoolingType.MAX) {
            return globalMax(pool, graph.codes(name, input));
        }
        throw conf instanceof BaseLayer || conf instanceof ActivationLayer
                ? inFloat(conf)
                : unsupported(conf);
    }

    private static boolean isIdentity(org.deeplearning4j.nn.conf.layers.Layer conf) {
        return conf instanceof ActivationLayer activation
                && PointwiseActivation.isIdentity(activation.getActivationFn());
    }

    private Signal globalMax(GlobalPoolingLayer pool, String codes) {
        Shape image = graph.type(codes).shape();
        Windows.requireImages(name, pool, image);
        Window.Extent whole = new Window.Extent(image.size(1), image.size(2));
        MaxPool node =
                new MaxPool(
                        pool.isCollapseDimensions() ? graph.inner(name + "/pool") : name,
                        codes,
                        Window.of(whole, Window.Extent.ONE));
        return collapsed(pool, new Signal.Codes(graph.add(node)));
    }

    private Signal collapsed(GlobalPoolingLayer pool, Signal.Codes pooled) {
        if (!pool.isCollapseDimensions()) {
            return pooled;
        }
        int channels = graph.type(pooled.node()).shape().size(0);
        return new Signal.Codes(graph.add(new Reshape(name, pooled.node(), Shape.of(channels))));
    }

    private Signal lowerQuantized(QuantizedLayer quantized, IntegerParameters layer, Signal input) {
        org.deeplearning4j.nn.conf.layers.Layer conf = quantized.getUnderlying();
        Signal arriving = layer.quantizesInput() ? quantized(layer, input) : input;
        WeightTensor weights = layer.weights();
        if (weights != null) {
            return weighted(quantized, layer, weights, graph.codes(name, arriving));
        }
        if (!WITHOUT_WEIGHTS.contains(conf.getClass())) {
            throw unsupported(conf);
        }
        if (conf instanceof SubsamplingLayer pool && pool.getPoolingType() == PoolingType.AVG) {
            String codes = graph.codes(name, arriving);
            Window window = Windows.of(name, pool, graph.type(codes).shape());
            return new Signal.Codes(
                    rounded(
                            name,
                            new Signal.Operation.Mean(
                                    codes, window, pool.isAvgPoolIncludePadInDivisor()),
                            layer));
        }
        if (conf instanceof GlobalPoolingLayer pool && pool.getPoolingType() == PoolingType.AVG) {
            String node = pool.isCollapseDimensions() ? graph.inner(name + "/pool") : name;
            String codes = graph.codes(name, arriving);
            Windows.requireImages(name, pool, graph.type(codes).shape());
            Signal.Operation mean = new Signal.Operation.ChannelMean(codes);
            return collapsed(pool, new Signal.Codes(rounded(node, mean, layer)));
        }
        if (conf instanceof ActivationLayer activation
                && PointwiseActivation.of(activation.getActivationFn()).isPresent()) {
            return new Signal.Codes(activated(layer, arriving));
        }
        throw unsupported(conf);
    }

    private String activated(IntegerParameters layer, Signal arriving) {
        if (arriving instanceof Signal.Unrounded unrounded) {
            return rounded(name, unrounded.operation(), layer);
        }
        if (arriving instanceof Signal.Values values && layer.table() == null) {
            return clampedValues(layer, graph.valuesToRound(name, values, layer.inputShape()));
        }
        return table(graph.codes(name, arriving), layer);
    }

    /* Rounding and clamping may change places, so float values are rounded first. */
    private String clampedValues(IntegerParameters layer, String values) {
        QuantParams output = requireNonNull(layer.output());
        if (output.range().equals(layer.bounds())) {
            return graph.add(new Quantize(name, values, output));
        }
        String codes = graph.add(new Quantize(graph.inner(name + "/quantize"), values, output));
        return table(codes, layer);
    }

    private Signal quantized(IntegerParameters layer, Signal input) {
        if (input instanceof Signal.Unrounded) {
            // Refuses it by name.
            graph.codes(name, input);
        }
        if (!(input instanceof Signal.Values values)) {
            throw new IllegalStateException(
                    "layer '" + name + "' rounds its input, which is rounded already");
        }
        String node = graph.valuesToRound(name, values, layer.inputShape());
        return new Signal.Codes(
                graph.add(
                        new Quantize(
                                graph.inner(name + "/quantize"),
                                node,
                                requireNonNull(layer.input()))));
    }

    private Signal weighted(
            QuantizedLayer quantized, IntegerParameters layer, WeightTensor weights, String input) {
        org.deeplearning4j.nn.conf.layers.Layer conf = quantized.getUnderlying();
        if (layer.output() != null && conf instanceof OutputLayer) {
            throw new LoweringException(
                    name,
                    "the result of this output layer is rounded before its activation function",
                    "prepare the float network; output layers get no quantizer of their result");
        }
        if (layer.table() != null) {
            QuantParams before = requireNonNull(layer.preActivation());
            IntNode node =
                    node(conf, graph.inner(name + "/sum"), input, weights, Output.Codes.of(before));
            return new Signal.Codes(table(graph.add(node), layer));
        }
        QuantParams output = layer.output();
        if (output == null) {
            return new ResultLowering(graph, name)
                    .lower(
                            OutputFunctions.resultFunction(quantized),
                            node -> node(conf, node, input, weights, new Output.Floats()));
        }
        IntNode node =
                node(
                        conf,
                        name,
                        input,
                        weights,
                        new Output.Codes(output, requireNonNull(layer.bounds())));
        return new Signal.Codes(graph.add(node));
    }

    private IntNode node(
            org.deeplearning4j.nn.conf.layers.Layer conf,
            String node,
            String input,
            WeightTensor weights,
            Output output) {
        if (!(conf instanceof ConvolutionLayer convolution)) {
            return new Dense(node, input, weights, output);
        }
        Shape image = graph.type(input).shape();
        int groups = image.size(0) / weights.shape().size(1);
        return new Convolution(
                node, input, weights, Windows.of(name, convolution, image), groups, output);
    }

    /* Rounds a result to the layer's codes. A clamp that the operation's node cannot apply, and an
     * activation that is a table, become a table after it. */
    private String rounded(String node, Signal.Operation operation, IntegerParameters layer) {
        QuantParams output = requireNonNull(layer.output());
        CodeRange bounds = requireNonNull(layer.bounds());
        boolean clamped = operation.clamps() || bounds.equals(output.range());
        if (layer.table() == null && clamped) {
            return graph.add(operation.node(node, new Output.Codes(output, bounds)));
        }
        QuantParams between = Optional.ofNullable(layer.preActivation()).orElse(output);
        String unclamped =
                graph.add(operation.node(graph.inner(node + "/sum"), Output.Codes.of(between)));
        CodeTable table = layer.table() != null ? layer.table() : clamp(between, output, bounds);
        return graph.add(new Table(node, unclamped, table, output));
    }

    private String table(String input, IntegerParameters layer) {
        QuantParams output = requireNonNull(layer.output());
        CodeTable table =
                layer.table() != null
                        ? layer.table()
                        : clamp(graph.type(input).codes(), output, requireNonNull(layer.bounds()));
        return graph.add(new Table(name, input, table, output));
    }

    private static CodeTable clamp(QuantParams input, QuantParams output, CodeRange bounds) {
        return CodeTable.from(
                DoubleUnaryOperator.identity(),
                input,
                new QuantParams(output.scale(), output.zeroPoint(), bounds));
    }

    private LoweringException inFloat(org.deeplearning4j.nn.conf.layers.Layer conf) {
        return new LoweringException(
                name,
                "this " + conf.getClass().getSimpleName() + " computes in float",
                "the prepare report says why; quantize it, or leave it out of the deployed"
                        + " network");
    }

    private LoweringException unsupported(org.deeplearning4j.nn.conf.layers.Layer conf) {
        return new LoweringException(
                name,
                "there is no integer form of type "
                        + conf.getClass().getSimpleName()
                        + options(conf),
                remedy(conf) + SUPPORTED);
    }

    /* What there is no integer form of, where there is one of the type. */
    private static String options(org.deeplearning4j.nn.conf.layers.Layer conf) {
        if (conf instanceof SubsamplingLayer pool) {
            return " with pooling type " + pool.getPoolingType();
        }
        if (conf instanceof GlobalPoolingLayer pool) {
            return " with pooling type " + pool.getPoolingType();
        }
        return conf instanceof DenseLayer dense && dense.hasLayerNorm()
                ? " with layer normalization"
                : "";
    }

    private static String remedy(org.deeplearning4j.nn.conf.layers.Layer conf) {
        if (conf instanceof Convolution1DLayer) {
            return "let sequences pass as images of height 1, with a ConvolutionLayer whose kernel"
                    + " is 1 x k; ";
        }
        if (conf instanceof SeparableConvolution2D) {
            return "put a DepthwiseConvolution2D and a ConvolutionLayer with kernel 1 x 1 in its"
                    + " place, which compute the same; ";
        }
        if (conf instanceof Deconvolution2D) {
            return "end the deployed network before it, or design the network without it; ";
        }
        return "";
    }
}
