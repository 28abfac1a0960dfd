// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.util.Map;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.StrokeDigits;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prediction with the ONNX file in plain ONNX Runtime, without any class of this library: the same
 * calls exist in Python, C and C#. Read it after {@link HelloQuantization}, whose {@code
 * model.onnx} it reads.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.PredictWithOnnxRuntime
 * }</pre>
 *
 * <p>The file's inputs have the names of the network's inputs, {@code input} in a
 * MultiLayerNetwork, and take float32 [examples, channels, height, width]. Its outputs have the
 * names of the last layers and are float32 scores [examples, classes] before the softmax; {@code
 * OnnxWriter.Results.SCORES_AND_VALUES} writes the probabilities into the file, too.
 *
 * <p>It prints the names of inputs and outputs, and for each of five digits its class and the
 * probability of that class.
 */
public final class PredictWithOnnxRuntime {

    private static final Logger log = LoggerFactory.getLogger(PredictWithOnnxRuntime.class);

    private static final int IMAGES = 5;
    private static final int SIDE = 28;
    private static final long SEED = 3;

    private PredictWithOnnxRuntime() {}

    /**
     * Predicts the classes of some digits.
     *
     * @param args the ONNX file; {@code model.onnx} without it
     * @throws OrtException if ONNX Runtime cannot read or run the file
     */
    public static void main(String[] args) throws OrtException {
        LabelledImages digits = StrokeDigits.generate(SEED, IMAGES);
        float[] pixels = digits.batch(0, IMAGES).values();
        float[][] scores = scores(args.length == 0 ? "model.onnx" : args[0], pixels);

        for (int image = 0; image < IMAGES; image++) {
            float[] ofImage = scores[image];
            int best = 0;
            for (int i = 1; i < ofImage.length; i++) {
                best = ofImage[i] > ofImage[best] ? i : best;
            }
            // The largest score is the class already; softmax is needed for probabilities only.
            double sum = 0;
            for (float score : ofImage) {
                sum += Math.exp(score - ofImage[best]);
            }
            log.info("A {} is read as a {}, probability {}.", digits.label(image), best, 1 / sum);
        }
    }

    static float[][] scores(String onnx, float[] pixels) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            // Exact integers also on x86-64 processors without VNNI instructions.
            options.addConfigEntry("session.x64quantprecision", "1");
            long[] shape = {pixels.length / (SIDE * SIDE), 1, SIDE, SIDE};
            try (OrtSession session = environment.createSession(onnx, options);
                    OnnxTensor images =
                            OnnxTensor.createTensor(environment, FloatBuffer.wrap(pixels), shape);
                    OrtSession.Result results = session.run(Map.of("input", images))) {
                log.info(
                        "Inputs {}, outputs {}.",
                        session.getInputNames(),
                        session.getOutputNames());
                return (float[][]) results.get(0).getValue();
            }
        }
    }
}
