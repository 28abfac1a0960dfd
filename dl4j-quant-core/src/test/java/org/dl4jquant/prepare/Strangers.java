// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Layers, vertices and preprocessors of a user's own that extend DL4J's and compute something else:
 * what their parents compute, times -2.
 */
public final class Strangers {

    private static final double FACTOR = -2;

    private Strangers() {}

    /** A dense layer. */
    @SuppressWarnings("serial") // never written
    public static class Dense extends DenseLayer {

        /** Needs the numbers of inputs and outputs, and a function. */
        public Dense(int in, int out, IActivation function) {
            setNIn(in);
            setNOut(out);
            setHasBias(true);
            setActivationFn(function);
        }

        @Override
        public Layer instantiate(
                NeuralNetConfiguration conf,
                Collection<TrainingListener> listeners,
                int index,
                INDArray view,
                boolean initialize,
                DataType type) {
            var layer =
                    new org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer(conf, type) {
                        @Override
                        public INDArray activate(boolean training, LayerWorkspaceMgr manager) {
                            return super.activate(training, manager).muli(FACTOR);
                        }
                    };
            layer.setIndex(index);
            layer.setParamsViewArray(view);
            layer.setParamTable(initializer().init(conf, view, initialize));
            layer.setConf(conf);
            return layer;
        }
    }

    /** An LSTM, which computes as its parent does. */
    @SuppressWarnings("serial") // never written
    public static class Lstm extends LSTM {

        /** Needs a number of outputs. */
        public Lstm(int out) {
            setNOut(out);
            setActivationFn(new ActivationTanH());
            setGateActivationFn(new ActivationSigmoid());
        }
    }

    /** An activation layer. */
    @SuppressWarnings("serial") // never written
    public static class Activation extends ActivationLayer {

        /** Needs a function. */
        public Activation(IActivation function) {
            super(function);
        }

        @Override
        public Layer instantiate(
                NeuralNetConfiguration conf,
                Collection<TrainingListener> listeners,
                int index,
                INDArray view,
                boolean initialize,
                DataType type) {
            return new org.deeplearning4j.nn.layers.ActivationLayer(conf, type) {
                @Override
                public INDArray activate(boolean training, LayerWorkspaceMgr manager) {
                    return super.activate(training, manager).muli(FACTOR);
                }
            };
        }
    }

    /** A pool. */
    @SuppressWarnings("serial") // never written
    public static class Pool extends SubsamplingLayer {

        /** Pools windows of 2 x 2. */
        public Pool(org.deeplearning4j.nn.conf.layers.PoolingType type) {
            super(new SubsamplingLayer.Builder(type).kernelSize(2, 2).stride(2, 2));
        }

        @Override
        public Layer instantiate(
                NeuralNetConfiguration conf,
                Collection<TrainingListener> listeners,
                int index,
                INDArray view,
                boolean initialize,
                DataType type) {
            var layer =
                    new org.deeplearning4j.nn.layers.convolution.subsampling.SubsamplingLayer(
                            conf, type) {
                        @Override
                        public INDArray activate(boolean training, LayerWorkspaceMgr manager) {
                            return super.activate(training, manager).muli(FACTOR);
                        }
                    };
            layer.setIndex(index);
            return layer;
        }
    }

    /** A dropout layer. */
    @SuppressWarnings("serial") // never written
    public static class Dropout extends DropoutLayer {

        /** Keeps half of the values. */
        public Dropout() {
            super(0.5);
        }

        @Override
        public Layer instantiate(
                NeuralNetConfiguration conf,
                Collection<TrainingListener> listeners,
                int index,
                INDArray view,
                boolean initialize,
                DataType type) {
            return new org.deeplearning4j.nn.layers.DropoutLayer(conf, type) {
                @Override
                public INDArray activate(boolean training, LayerWorkspaceMgr manager) {
                    return super.activate(training, manager).mul(FACTOR);
                }
            };
        }
    }

    /** A sum. */
    @SuppressWarnings("overrides") // DL4J's vertices differ from their interface in varargs
    public static class Sum extends ElementWiseVertex {

        /** Adds. */
        public Sum() {
            super(Op.Add);
        }

        @Override
        public Sum clone() {
            return new Sum();
        }

        @Override
        public GraphVertex instantiate(
                ComputationGraph graph,
                String name,
                int index,
                INDArray view,
                boolean initialize,
                DataType type) {
            return new org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex(
                    graph,
                    name,
                    index,
                    org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex.Op.Add,
                    type) {
                @Override
                public INDArray doForward(boolean training, LayerWorkspaceMgr manager) {
                    return super.doForward(training, manager).muli(FACTOR);
                }
            };
        }
    }

    /** A preprocessor that keeps the shape. */
    public static class Scaling implements InputPreProcessor {

        private static final long serialVersionUID = 1L;

        @Override
        public INDArray preProcess(INDArray input, int batch, LayerWorkspaceMgr manager) {
            return manager.leverageTo(ArrayType.ACTIVATIONS, input.mul(FACTOR));
        }

        @Override
        public INDArray backprop(INDArray output, int batch, LayerWorkspaceMgr manager) {
            return output.mul(FACTOR);
        }

        @Override
        public InputPreProcessor clone() {
            return new Scaling();
        }

        @Override
        public InputType getOutputType(InputType input) {
            return input;
        }

        @Override
        public Pair<INDArray, MaskState> feedForwardMaskArray(
                INDArray mask, MaskState state, int batch) {
            return new Pair<>(mask, state);
        }
    }

    /** A preprocessor that makes vectors of images. */
    public static class Flattening extends CnnToFeedForwardPreProcessor {

        private static final long serialVersionUID = 1L;

        /** Takes images of one size. */
        public Flattening(long height, long width, long channels) {
            super(height, width, channels);
        }

        @Override
        public INDArray preProcess(INDArray input, int batch, LayerWorkspaceMgr manager) {
            return super.preProcess(input, batch, manager).mul(FACTOR);
        }
    }
}
