// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.SeparableConvolution2DLayer;
import org.deeplearning4j.nn.params.SeparableConvolutionParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.quantizers.TensorObserver;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.ValueRounder;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's separable convolution as its two halves, with the tensor between them rounded: a depthwise
 * convolution, and one of single pixels. Parameters are DL4J's.
 *
 * @see <a href="https://arxiv.org/abs/1610.02357">Chollet, 2017: Xception</a>
 */
@SuppressWarnings("serial") // DL4J's layers are serializable in name only
final class RoundedSeparable extends SeparableConvolution2DLayer implements RoundsInside {

    private static final String DEPTHWISE =
            SeparableConvolutionParamInitializer.DEPTH_WISE_WEIGHT_KEY;
    private static final String POINTWISE =
            SeparableConvolutionParamInitializer.POINT_WISE_WEIGHT_KEY;
    private static final String BIAS = SeparableConvolutionParamInitializer.BIAS_KEY;

    private @Nullable ValueRounder rounder;
    private Supplier<@Nullable TensorObserver> observer = () -> null;
    private @Nullable INDArray between;

    private RoundedSeparable(NeuralNetConfiguration conf, DataType type) {
        super(conf, type);
    }

    /**
     * {@return the layer in float, as DL4J would make it; {@link #connect} gives it its rounder}
     *
     * @param conf the configuration with the layer in it
     * @param layer that layer
     * @param index its index
     * @param view its parameters, not initialized
     * @param type the network's floating-point type
     */
    static RoundedSeparable of(
            NeuralNetConfiguration conf,
            SeparableConvolution2D layer,
            int index,
            INDArray view,
            DataType type) {
        RoundedSeparable separable = new RoundedSeparable(conf, type);
        separable.setIndex(index);
        separable.setParamsViewArray(view);
        separable.setParamTable(layer.initializer().init(conf, view, false));
        separable.setConf(conf);
        return separable;
    }

    @Override
    public void connect(
            Map<TensorRole, ValueRounder> rounders, Supplier<@Nullable TensorObserver> watching) {
        rounder = rounders.get(TensorRole.DEPTHWISE);
        observer = watching;
    }

    @Override
    public Map<TensorRole, INDArray> raw() {
        return between == null ? Map.of() : Map.of(TensorRole.DEPTHWISE, between);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr mgr) {
        assertInputSet(false);
        applyDropOutIfNecessary(training, mgr);
        return mgr.dup(ArrayType.ACTIVATIONS, Detached.compute(() -> forward(training)));
    }

    private INDArray forward(boolean training) {
        INDArray depthwise =
                exec("depthwise_conv2d", windows(), List.of(input, depthwiseWeights()), List.of());
        between = training ? depthwise : null;
        TensorObserver watching = observer.get();
        if (watching != null) {
            watching.observe(TensorRole.DEPTHWISE, depthwise);
        }
        INDArray x = watching == null ? rounded(depthwise) : depthwise;
        INDArray bias = layerConf().hasBias() ? getParam(BIAS) : null;
        List<INDArray> inputs =
                bias == null
                        ? List.of(x, pixels(getParam(POINTWISE)))
                        : List.of(x, pixels(getParam(POINTWISE)), bias);
        return exec("conv2d", pixel(), inputs, List.of());
    }

    private INDArray rounded(INDArray depthwise) {
        if (rounder == null) {
            return depthwise;
        }
        INDArray result = Nd4j.createUninitialized(depthwise.dataType(), depthwise.shape(), 'c');
        rounder.forward(depthwise, result);
        return result;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr mgr) {
        assertInputSet(true);
        INDArray toInput = Detached.compute(() -> backward(epsilon));
        between = null;
        Gradient gradient = new DefaultGradient();
        for (String key : List.of(BIAS, DEPTHWISE, POINTWISE)) {
            if (!key.equals(BIAS) || layerConf().hasBias()) {
                gradient.setGradientFor(key, gradientView(key), 'c');
            }
        }
        INDArray own = mgr.dup(ArrayType.ACTIVATION_GRAD, toInput);
        return new Pair<>(gradient, backpropDropOutIfPresent(own));
    }

    private INDArray backward(INDArray epsilon) {
        INDArray depthwise = between;
        if (depthwise == null) {
            depthwise =
                    exec(
                            "depthwise_conv2d",
                            windows(),
                            List.of(input, depthwiseWeights()),
                            List.of());
        }
        INDArray x = rounded(depthwise);
        INDArray toBetween = Nd4j.createUninitialized(x.dataType(), x.shape(), 'c');
        INDArray weights = pixels(getParam(POINTWISE));
        INDArray toWeights = pixels(gradientView(POINTWISE));
        if (layerConf().hasBias()) {
            exec(
                    "conv2d_bp",
                    pixel(),
                    List.of(x, weights, getParam(BIAS), epsilon),
                    List.of(toBetween, toWeights, gradientView(BIAS)));
        } else {
            exec("conv2d_bp", pixel(), List.of(x, weights, epsilon), List.of(toBetween, toWeights));
        }
        if (rounder != null) {
            INDArray through = Nd4j.createUninitialized(x.dataType(), x.shape(), 'c');
            rounder.backward(depthwise, toBetween, through);
            toBetween = through;
        }
        INDArray toInput = Nd4j.createUninitialized(input.dataType(), input.shape(), 'c');
        exec(
                "depthwise_conv2d_bp",
                windows(),
                List.of(input, depthwiseWeights(), toBetween),
                List.of(toInput, gradientView(DEPTHWISE).permute(2, 3, 1, 0)));
        return toInput;
    }

    private INDArray gradientView(String key) {
        return Objects.requireNonNull(gradientViews.get(key), key);
    }

    /* [multiplier, in, height, width] to the operations' [height, width, in, multiplier]. */
    private INDArray depthwiseWeights() {
        return getParam(DEPTHWISE).permute(2, 3, 1, 0);
    }

    /* [out, in, 1, 1] to the operations' [1, 1, in, out]. */
    private static INDArray pixels(INDArray weights) {
        return weights.permute(2, 3, 1, 0);
    }

    private int[] windows() {
        ConvolutionLayer layer = layerConf();
        int[] kernel = layer.getKernelSize();
        int[] stride = layer.getStride();
        int[] padding = layer.getPadding();
        int[] dilation = layer.getDilation();
        return new int[] {
            kernel[0],
            kernel[1],
            stride[0],
            stride[1],
            padding[0],
            padding[1],
            dilation[0],
            dilation[1],
            layer.getConvolutionMode() == ConvolutionMode.Same ? 1 : 0,
            format()
        };
    }

    private int[] pixel() {
        return new int[] {1, 1, 1, 1, 0, 0, 1, 1, 0, format()};
    }

    private int format() {
        return layerConf().getCnn2dDataFormat() == CNN2DFormat.NHWC ? 1 : 0;
    }

    /** Runs an operation, which makes its result if no outputs are given. */
    private static INDArray exec(
            String name, int[] arguments, List<INDArray> inputs, List<INDArray> outputs) {
        DynamicCustomOp.DynamicCustomOpsBuilder builder =
                DynamicCustomOp.builder(name)
                        .addInputs(inputs.toArray(new INDArray[0]))
                        .addIntegerArguments(arguments);
        if (!outputs.isEmpty()) {
            builder.addOutputs(outputs.toArray(new INDArray[0]));
        }
        return Nd4j.exec(builder.build())[0];
    }

    @Override
    public void clear() {
        super.clear();
        between = null;
    }
}
