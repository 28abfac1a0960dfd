// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.nio.file.Path;
import java.util.Map;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.onnx.OnnxReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prediction on the CPU with an integer graph and this library's engines, without DL4J and ND4J.
 * Read it after {@link HelloQuantization}, whose {@code model.onnx} it reads; where only ONNX
 * Runtime is available, see {@link PredictWithOnnxRuntime}.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.PredictOnCpu
 * }</pre>
 *
 * <p>It prints the input's name and shape, and for each of five digits its class and the
 * probability of that class.
 */
public final class PredictOnCpu {

    private static final Logger log = LoggerFactory.getLogger(PredictOnCpu.class);

    private static final int IMAGES = 5;
    private static final long SEED = 3;

    private PredictOnCpu() {}

    /**
     * Predicts the classes of some digits.
     *
     * @param args the ONNX file; {@code model.onnx} without it
     */
    public static void main(String[] args) {
        LabelledImages digits = StrokeDigits.generate(SEED, IMAGES);
        // The graph that Quantization.lower returned is as good as one from a file.
        IntGraph graph = OnnxReader.read(Path.of(args.length == 0 ? "model.onnx" : args[0]));
        float[] probabilities = predict(graph, IMAGES, digits.batch(0, IMAGES).values());

        int classes = probabilities.length / IMAGES;
        for (int image = 0; image < IMAGES; image++) {
            int best = 0;
            for (int i = 1; i < classes; i++) {
                if (probabilities[image * classes + i] > probabilities[image * classes + best]) {
                    best = i;
                }
            }
            log.info(
                    "A {} is read as a {}, with probability {}.",
                    digits.label(image),
                    best,
                    probabilities[image * classes + best]);
        }
    }

    static float[] predict(IntGraph graph, int images, float[] pixels) {
        // "reference" is plain Java and defines the results; "onnxruntime" returns the same faster.
        try (Engine engine = Engine.open("reference", graph)) {
            Input input = graph.inputs().get(0);
            log.info("Input '{}' takes images of shape {}.", input.name(), input.shape());
            // One image after the other, each as [channels, height, width], row-major, unrounded.
            Batch.Floats batch = Batch.Floats.of(images, input.shape(), pixels);
            Map<String, Batch> results = engine.run(Map.of(input.name(), batch));
            // One output, with the values of the quantized network's output(): softmax is applied.
            return ((Batch.Floats) results.values().iterator().next()).values();
        }
    }
}
