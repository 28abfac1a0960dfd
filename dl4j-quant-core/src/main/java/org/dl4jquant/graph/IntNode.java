// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * One operation of an integer graph. Its one result bears its name.
 *
 * <p>The family is sealed, so that whoever walks it, through a {@link Visitor}, is complete: a new
 * node does not compile until every engine and format says what it does with it.
 */
public sealed interface IntNode
        permits Weighted,
                KeepsCodes,
                IntNode.Input,
                IntNode.Quantize,
                IntNode.AveragePool,
                IntNode.GlobalAveragePool,
                IntNode.Add,
                IntNode.Concat,
                IntNode.Table,
                IntNode.Dequantize,
                IntNode.Rectify {

    /** {@return the node's name, which is its result's} */
    String name();

    /** {@return the names of the results that it reads} */
    List<String> inputs();

    /**
     * {@return what the visitor makes of this node}
     *
     * @param visitor one method per kind of node
     * @param <R> the type of what it makes
     */
    <R> R accept(Visitor<R> visitor);

    /**
     * A float32 tensor that comes from outside.
     *
     * @param name the node's name
     * @param shape one example's dimensions
     */
    record Input(String name, Shape shape) implements IntNode {
        /** Checks that the parts are there. */
        public Input {
            NodeChecks.requireName(name);
            Objects.requireNonNull(shape, "shape");
        }

        @Override
        public List<String> inputs() {
            return List.of();
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * Rounds float32 values to codes, {@code clamp(rint(x / scale) + zeroPoint)}.
     *
     * @param name the node's name
     * @param input a float32 tensor
     * @param params how the codes stand for values
     */
    record Quantize(String name, String input, QuantParams params) implements IntNode {
        /** Checks that the parts are there. */
        public Quantize {
            NodeChecks.requireName(name);
            Objects.requireNonNull(params, "params");
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * A two-dimensional convolution (cross-correlation); padding is the input's zero point.
     *
     * @param name the node's name
     * @param input codes of an image [in, height, width]
     * @param weights [out, in / groups, kernel height, kernel width]
     * @param window kernel, stride, dilation, padding
     * @param groups how many groups of channels do not see each other; {@code in} for depthwise
     * @param output codes or float32 values
     */
    record Convolution(
            String name,
            String input,
            WeightTensor weights,
            Window window,
            int groups,
            Output output)
            implements Weighted {
        /** Checks that the weights have the window's kernel. */
        public Convolution {
            NodeChecks.requireName(name);
            Objects.requireNonNull(output, "output");
            Require.argument(groups >= 1, "convolution '%s' has %d groups", name, groups);
            NodeChecks.requireKernel(name, weights, window, groups);
        }

        @Override
        public Convolution reading(String other) {
            return new Convolution(name, other, weights, window, groups, output);
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * A matrix product with a vector per example.
     *
     * @param name the node's name
     * @param input codes [in]
     * @param weights [out, in]
     * @param output codes or float32 values
     */
    record Dense(String name, String input, WeightTensor weights, Output output)
            implements Weighted {
        /** Checks that the weights are a matrix. */
        public Dense {
            NodeChecks.requireName(name);
            Objects.requireNonNull(output, "output");
            Require.argument(
                    weights.shape().rank() == 2,
                    "dense '%s': weights %s must be [out, in]",
                    name,
                    weights.shape());
        }

        @Override
        public int groups() {
            return 1;
        }

        @Override
        public Dense reading(String other) {
            return new Dense(name, other, weights, output);
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * The largest code of each window; padding never wins. The result keeps the input's params.
     *
     * @param name the node's name
     * @param input codes of an image
     * @param window kernel, stride, dilation, padding
     */
    record MaxPool(String name, String input, Window window) implements KeepsCodes {
        /** Checks that every window sees at least one real element. */
        public MaxPool {
            NodeChecks.requireName(name);
            NodeChecks.requirePaddingBelowKernel(name, window);
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * The mean of each window.
     *
     * @param name the node's name
     * @param input codes of an image
     * @param window kernel, stride, padding; dilation 1
     * @param countPadding whether padding counts as values 0, or not at all
     * @param params how the result's codes stand for values
     */
    record AveragePool(
            String name, String input, Window window, boolean countPadding, QuantParams params)
            implements IntNode {
        /** As many as an image whose mean is computed in int32. */
        private static final long MAX_AREA = 1 << 23;

        /** Checks that every window sees at least one real element. */
        public AveragePool {
            NodeChecks.requireName(name);
            Objects.requireNonNull(params, "params");
            NodeChecks.requirePaddingBelowKernel(name, window);
            long area = (long) window.kernel().height() * window.kernel().width();
            Require.argument(
                    area < MAX_AREA,
                    "average pool '%s' has a window of %d elements; at most 2^23 - 1 are allowed",
                    name,
                    area);
            Require.argument(
                    window.dilation().equals(Window.Extent.ONE),
                    "average pool '%s' has dilation %s; only 1 x 1 is defined",
                    name,
                    window.dilation());
        }

        /**
         * {@return whether one window sees a whole image and no padding; its mean is then computed
         * like that of {@link GlobalAveragePool}}
         *
         * @param image the input's shape
         */
        public boolean coversImage(Shape image) {
            return window.kernel().equals(new Window.Extent(image.size(1), image.size(2)))
                    && window.before().equals(Window.Extent.ZERO)
                    && window.after().equals(Window.Extent.ZERO);
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * The mean of each channel: [channels, height, width] to [channels, 1, 1].
     *
     * @param name the node's name
     * @param input codes of an image
     * @param params how the result's codes stand for values
     */
    record GlobalAveragePool(String name, String input, QuantParams params) implements IntNode {
        /** Checks that the parts are there. */
        public GlobalAveragePool {
            NodeChecks.requireName(name);
            Objects.requireNonNull(params, "params");
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * The sum of two tensors of one shape.
     *
     * @param name the node's name
     * @param left codes
     * @param right codes
     * @param output how the result's codes stand for values, and their clamp (ReLU)
     */
    record Add(String name, String left, String right, Output.Codes output) implements IntNode {
        /** Checks that the parts are there. */
        public Add {
            NodeChecks.requireName(name);
            Objects.requireNonNull(output, "output");
        }

        @Override
        public List<String> inputs() {
            return List.of(left, right);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * Tensors one after another along the first dimension (the channels); each is brought to the
     * result's scale first.
     *
     * @param name the node's name
     * @param inputs two or more tensors of codes
     * @param params how the result's codes stand for values
     */
    record Concat(String name, List<String> inputs, QuantParams params) implements IntNode {
        /** Checks that there are at least two inputs. */
        public Concat {
            NodeChecks.requireName(name);
            Objects.requireNonNull(params, "params");
            inputs = List.copyOf(inputs);
            Require.argument(
                    inputs.size() >= 2,
                    "concat '%s' has %d inputs; it needs two or more",
                    name,
                    inputs.size());
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * An element-wise function as a table of codes.
     *
     * @param name the node's name
     * @param input codes
     * @param table the result's code for each code
     * @param params how the result's codes stand for values
     */
    record Table(String name, String input, CodeTable table, QuantParams params)
            implements IntNode {
        /** Checks that every entry is a code of the result. */
        public Table {
            NodeChecks.requireName(name);
            Objects.requireNonNull(table, "table");
            Objects.requireNonNull(params, "params");
            for (byte entry : table.entries()) {
                int code = params.range().decode(entry);
                Require.argument(
                        params.range().contains(code),
                        "table '%s' has the entry %d, which is outside the codes [%d, %d]",
                        name,
                        code,
                        params.range().min(),
                        params.range().max());
            }
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * The same elements, in row-major order, in another shape; flattening is one case.
     *
     * @param name the node's name
     * @param input codes or float32 values
     * @param shape one example's new dimensions
     */
    record Reshape(String name, String input, Shape shape) implements KeepsCodes {
        /** Checks that the parts are there. */
        public Reshape {
            NodeChecks.requireName(name);
            Objects.requireNonNull(shape, "shape");
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * Codes to float32 values, {@code (code - zeroPoint) * scale}.
     *
     * @param name the node's name
     * @param input codes
     */
    record Dequantize(String name, String input) implements IntNode {
        /** Checks that the parts are there. */
        public Dequantize {
            NodeChecks.requireName(name);
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * Clamps float32 results, or makes their negative part flatter: the activation function of a
     * last layer whose results leave as float32.
     *
     * @param name the node's name
     * @param input float32 values that the graph computes from codes
     * @param function what is done to each
     */
    record Rectify(String name, String input, OutputFunction.Rectifier function)
            implements IntNode {
        /** Checks that the parts are there. */
        public Rectify {
            NodeChecks.requireName(name);
            Objects.requireNonNull(function, "function");
        }

        @Override
        public List<String> inputs() {
            return List.of(input);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.visit(this);
        }
    }

    /**
     * One method per kind of node.
     *
     * @param <R> the type of what the visitor makes of a node
     */
    interface Visitor<R> {
        /** {@return what is made of an input} */
        R visit(Input node);

        /** {@return what is made of a quantization} */
        R visit(Quantize node);

        /** {@return what is made of a convolution} */
        R visit(Convolution node);

        /** {@return what is made of a dense node} */
        R visit(Dense node);

        /** {@return what is made of a max pool} */
        R visit(MaxPool node);

        /** {@return what is made of an average pool} */
        R visit(AveragePool node);

        /** {@return what is made of a global average pool} */
        R visit(GlobalAveragePool node);

        /** {@return what is made of a sum} */
        R visit(Add node);

        /** {@return what is made of a concatenation} */
        R visit(Concat node);

        /** {@return what is made of a table} */
        R visit(Table node);

        /** {@return what is made of a reshape} */
        R visit(Reshape node);

        /** {@return what is made of a dequantization} */
        R visit(Dequantize node);

        /** {@return the result for a function of float32 results} */
        R visit(Rectify node);
    }
}
