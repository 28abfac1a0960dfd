// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.BaseGraphVertex;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.fakequant.FakeQuantizer;
import org.dl4jquant.layer.attention.HeadProducts;
import org.dl4jquant.layer.integer.AttentionProductsForm;
import org.dl4jquant.layer.integer.Call;
import org.dl4jquant.layer.integer.LayerTensors;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.scale.ScaleLinks;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.Estimator;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The running side of a {@link QuantizedAttentionVertex}. */
// DL4J's vertices are serializable in name only, and differ from their interface in varargs.
@SuppressWarnings({"serial", "overrides"})
final class QuantizedAttentionRuntime extends BaseGraphVertex {

    private static final int RANK = 3;

    private final QuantizedAttentionVertex conf;
    private INDArray @Nullable [] masks;
    private @Nullable HeadProducts pass;

    QuantizedAttentionRuntime(
            QuantizedAttentionVertex conf,
            ComputationGraph graph,
            String name,
            int index,
            DataType type) {
        super(graph, name, index, new VertexIndices[0], new VertexIndices[0], type);
        this.conf = conf;
    }

    @Override
    public boolean hasLayer() {
        return false;
    }

    @Override
    public @Nullable Layer getLayer() {
        return null;
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr mgr) {
        Require.state(canDoForward(), "vertex '%s' lacks inputs", vertexName);
        for (INDArray input : inputs) {
            requireFits(input);
        }
        INDArray queries = inputs[0];
        long[] shape = {queries.size(0), inputs[2].size(1), queries.size(2)};
        boolean watching = isCalibrating();
        INDArray y = mgr.createUninitialized(ArrayType.ACTIVATIONS, queries.dataType(), shape, 'c');
        boolean exact =
                !training
                        && !watching
                        && !AttentionProductsForm.of(conf.heads(), new Codes())
                                .infer(new Call(mgr, keyMask(), () -> y), List.of(inputs))
                                .isEmpty();
        if (!exact) {
            HeadProducts run = Detached.compute(() -> run(watching));
            pass = training ? run : null;
            y.assign(run.result().reshape('c', shape));
        }
        maskQueriesInPlace(y);
        return y;
    }

    private HeadProducts run(boolean watching) {
        boolean rounds = !watching && new Codes().codes(TensorRole.OUTPUT) != null;
        INDArray mask = keyMask();
        return new HeadProducts(
                headed(inputs[0]),
                headed(inputs[1]),
                headed(inputs[2]),
                mask == null ? null : mask.castTo(inputs[0].dataType()),
                rounds ? Rounded.INSTANCE : HeadProducts.Rounding.NONE);
    }

    private INDArray headed(INDArray x) {
        return x.dup('c')
                .reshape('c', x.size(0), conf.heads(), x.size(1) / conf.heads(), x.size(2));
    }

    private void requireFits(INDArray x) {
        boolean fits =
                x.rank() == RANK
                        && x.size(1) % conf.heads() == 0
                        && x.size(0) == inputs[0].size(0)
                        && (x == inputs[0] || inputs[1].size(2) == inputs[2].size(2))
                        && inputs[0].size(1) == inputs[1].size(1);
        Require.argument(
                fits,
                "vertex '%s' reads queries, keys and values of shapes %s, %s and %s; they must be"
                        + " [examples, features, steps], with as many examples, as many features of"
                        + " queries and keys, a multiple of the %d heads, and as many steps of keys"
                        + " and values",
                vertexName,
                Arrays.toString(inputs[0].shape()),
                Arrays.toString(inputs[1].shape()),
                Arrays.toString(inputs[2].shape()),
                conf.heads());
    }

    private boolean isCalibrating() {
        String result = conf.result();
        GraphVertex rounder = result == null ? null : graph.getVertex(result);
        return rounder != null
                && rounder.hasLayer()
                && QuantizedLayers.isObserved(rounder.getLayer());
    }

    // ---- masks --------------------------------------------------------------------------------

    @Override
    public @Nullable Pair<INDArray, MaskState> feedForwardMaskArrays(
            INDArray @Nullable [] maskArrays, MaskState currentMaskState, int minibatchSize) {
        masks = maskArrays == null ? null : maskArrays.clone();
        INDArray ofQueries = mask(0);
        return ofQueries == null ? null : new Pair<>(ofQueries, currentMaskState);
    }

    /* DL4J does not tell vertices when a batch has no masks. */
    private @Nullable INDArray mask(int index) {
        INDArray[] all = masks;
        return all == null || graph.getInputMaskArrays() == null ? null : all[index];
    }

    /* A key counts if its value does, too. */
    private @Nullable INDArray keyMask() {
        INDArray ofKeys = mask(1);
        INDArray ofValues = mask(2);
        if (ofKeys == null || ofValues == null) {
            return ofKeys == null ? ofValues : ofKeys;
        }
        return Detached.compute(() -> ofKeys.castTo(dataType).mul(ofValues.castTo(dataType)));
    }

    private void maskQueriesInPlace(INDArray y) {
        INDArray mask = mask(0);
        if (mask != null) {
            Detached.run(
                    () ->
                            y.muli(
                                    mask.castTo(y.dataType())
                                            .reshape(mask.size(0), 1, mask.size(1))
                                            .broadcast(y.shape())));
        }
    }

    // ---- backward -----------------------------------------------------------------------------

    @Override
    public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr mgr) {
        Require.state(canDoBackward(), "vertex '%s' lacks the gradient of its result", vertexName);
        HeadProducts forward = pass == null ? Detached.compute(() -> run(false)) : pass;
        HeadProducts.Gradients back =
                Detached.compute(
                        () -> {
                            INDArray upstream = epsilon.dup('c');
                            maskQueriesInPlace(upstream);
                            return forward.backward(upstream);
                        });
        pass = null;
        INDArray[] toInputs = {
            like(inputs[0], back.queries(), mgr),
            like(inputs[1], back.keys(), mgr),
            like(inputs[2], back.values(), mgr)
        };
        return new Pair<>(new DefaultGradient(), toInputs);
    }

    private static INDArray like(INDArray input, INDArray gradient, LayerWorkspaceMgr mgr) {
        INDArray made =
                mgr.createUninitialized(
                        ArrayType.ACTIVATION_GRAD, input.dataType(), input.shape(), 'c');
        return made.assign(gradient.dup('c').reshape('c', input.shape()));
    }

    @Override
    public void setBackpropGradientsViewArray(@Nullable INDArray gradients) {
        Require.argument(gradients == null, "vertex '%s' has no parameters", vertexName);
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }

    @Override
    public String toString() {
        return "QuantizedAttentionVertex(name=" + vertexName + ", heads=" + conf.heads() + ")";
    }

    /** The codes of the layers that this vertex reads, and of the one that rounds its result. */
    private final class Codes implements LayerTensors {
        @Override
        public String name() {
            return vertexName;
        }

        @Override
        public @Nullable QuantParams input(int index) {
            return conf.sources().isEmpty() ? null : params(conf.sources().get(index));
        }

        @Override
        public @Nullable QuantParams codes(TensorRole role) {
            String result = conf.result();
            return role == TensorRole.OUTPUT && result != null && !conf.sources().isEmpty()
                    ? params(result)
                    : null;
        }

        @Override
        public DataType type() {
            return dataType;
        }

        private @Nullable QuantParams params(String layer) {
            return ScaleLinks.read(vertexName, layer, graph.params());
        }
    }

    /** Probabilities in codes of a fixed scale; gradients pass. */
    private enum Rounded implements HeadProducts.Rounding {
        INSTANCE;

        private static final FakeQuantizer QUANTIZER =
                FakeQuantizer.of(
                        AttentionProductsForm.PROBABILITIES.range(),
                        0,
                        Estimator.STE,
                        Channels.NONE);

        @Override
        public INDArray forward(INDArray raw) {
            INDArray rounded = Nd4j.createUninitialized(raw.dataType(), raw.shape(), 'c');
            QUANTIZER.forward(
                    raw,
                    Nd4j.scalar(raw.dataType(), AttentionProductsForm.PROBABILITIES.scale()),
                    rounded);
            return rounded;
        }

        @Override
        public INDArray backward(INDArray raw, INDArray upstream) {
            return Objects.requireNonNull(upstream, "upstream");
        }
    }
}
