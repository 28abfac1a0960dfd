// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * SHA-256 of all that a training has changed: what a resumed one must have in common with it, the
 * state of the random numbers (of the whole process, and of this moment) included.
 */
final class Fingerprint {

    static final String PREFIX = "sha256 ";

    private Fingerprint() {}

    static String of(Model model) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            add(digest, model.params());
            add(
                    digest,
                    model instanceof ComputationGraph graph
                            ? graph.getUpdater().getStateViewArray()
                            : ((MultiLayerNetwork) model).getUpdater().getStateViewArray());
            TrainedNetwork network = new TrainedNetwork(model);
            add(digest, network.iterations() + " " + network.epochs());
            network.notes()
                    .forEach(
                            (name, text) -> {
                                if (name.startsWith("schedule.")) {
                                    add(digest, name + "=" + text);
                                }
                            });
            network.quantized().forEach(q -> add(digest, "" + q.conf().precision()));
            add(digest, Nd4j.getRandom().rootState() + " " + Nd4j.getRandom().nodeState());
            return PREFIX + HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void add(MessageDigest digest, INDArray values) {
        float[] numbers = values.dup('c').data().asFloat();
        ByteBuffer bytes = ByteBuffer.allocate(numbers.length * Float.BYTES);
        for (float number : numbers) {
            bytes.putInt(Float.floatToRawIntBits(number));
        }
        digest.update(bytes.array());
    }

    private static void add(MessageDigest digest, String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
    }
}
