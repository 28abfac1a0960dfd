// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One layer of one example by the reference engine.
 *
 * <pre>mvn -Pbench verify -pl dl4j-quant-core -Djmh.args=ReferenceEngineBenchmark</pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ReferenceEngineBenchmark {

    private static final QuantParams CODES = new QuantParams(0.05f, 0, CodeRange.unsigned(8));

    /** The layer that is timed. */
    public enum Layer {
        /** 3 x 3, 128 channels to 128, of 28 x 28: 115.6 million products. */
        WIDE(128, 28, 128, 3, 1, 1),
        /** The same, with a stride of 2. */
        STRIDED(128, 28, 128, 3, 2, 1),
        /** 3 x 3 in each of 128 channels. */
        DEPTHWISE(128, 28, 128, 3, 1, 128),
        /** LeNet's second convolution: 5 x 5, 20 channels to 50, of 12 x 12. */
        SMALL(20, 12, 50, 5, 1, 1),
        /** LeNet's first dense layer, 800 to 500. */
        DENSE(800, 1, 500, 1, 1, 1);

        private final int channels;
        private final int size;
        private final int filters;
        private final int kernel;
        private final int stride;
        private final int groups;

        Layer(int channels, int size, int filters, int kernel, int stride, int groups) {
            this.channels = channels;
            this.size = size;
            this.filters = filters;
            this.kernel = kernel;
            this.stride = stride;
            this.groups = groups;
        }

        private IntGraph graph(Random random) {
            IntGraph.Builder graph = IntGraph.builder();
            Output output = Output.Codes.of(CODES);
            Shape input = this == DENSE ? Shape.of(channels) : Shape.of(channels, size, size);
            graph.add(new Input("x", input));
            graph.add(new Quantize("q", "x", CODES));
            WeightTensor weights = weights(random);
            Window window =
                    new Window(
                            Extent.square(kernel),
                            Extent.square(stride),
                            Extent.ONE,
                            Extent.square(kernel == 3 ? 1 : 0),
                            Extent.square(kernel == 3 ? 1 : 0));
            graph.add(
                    this == DENSE
                            ? new Dense("y", "q", weights, output)
                            : new Convolution("y", "q", weights, window, groups, output));
            return graph.build(List.of("y"));
        }

        private WeightTensor weights(Random random) {
            Shape shape =
                    this == DENSE
                            ? Shape.of(filters, channels)
                            : Shape.of(filters, channels / groups, kernel, kernel);
            byte[] codes = new byte[shape.elements()];
            for (int i = 0; i < codes.length; i++) {
                codes[i] = (byte) (random.nextInt(255) - 127);
            }
            float[] scales = new float[filters];
            Arrays.fill(scales, 0.001f);
            return WeightTensor.of(shape, CodeRange.narrow(8), codes, scales, new int[filters]);
        }
    }

    /** The layer. */
    @Param public Layer layer = Layer.WIDE;

    private Engine engine = Engine.open("reference", Layer.DENSE.graph(new Random(1)));
    private Map<String, Batch.Floats> inputs = Map.of();

    /** Opens the engine. */
    @Setup
    public void open() {
        Random random = new Random(1);
        IntGraph graph = layer.graph(random);
        engine.close();
        engine = Engine.open("reference", graph);
        Shape shape = graph.inputs().get(0).shape();
        float[] values = new float[shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() * 12;
        }
        inputs = Map.of("x", Batch.Floats.of(1, shape, values));
    }

    /** Runs it. */
    @Benchmark
    public Map<String, Batch> run() {
        return engine.run(inputs);
    }
}
