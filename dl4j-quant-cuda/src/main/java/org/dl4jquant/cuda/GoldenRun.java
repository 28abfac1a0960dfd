// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.numeric.Shape;

/**
 * Inputs, and what the reference engine makes of them: whoever has these and an engine file can
 * tell whether a GPU returns the same integers, without the graph.
 *
 * @param inputs one batch for each input, by name
 * @param results SHA-256 of each node's result, by name, in the graph's order
 */
public record GoldenRun(Map<String, Batch.Floats> inputs, Map<String, String> results) {

    private static final int MAGIC = 0x44514752; // DQGR

    /** Copies the maps. */
    public GoldenRun {
        inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
        results = Collections.unmodifiableMap(new LinkedHashMap<>(results));
    }

    /**
     * {@return what an engine makes of inputs}
     *
     * @param reference the engine that is right
     * @param inputs one batch for each input, by name
     */
    public static GoldenRun of(Engine reference, Map<String, Batch.Floats> inputs) {
        return new GoldenRun(inputs, hashes(reference.trace(inputs)));
    }

    /**
     * {@return the first node whose result differs on a GPU; empty if all are equal}
     *
     * <p>Outputs are compared twice: traced, and run by the fused kernels.
     *
     * @param engine the engine on the GPU, compiled with traces
     */
    public Optional<String> firstDifference(EngineOnDevice engine) {
        Map<String, String> traced = hashes(engine.trace(inputs));
        for (Map.Entry<String, String> each : results.entrySet()) {
            if (!each.getValue().equals(traced.get(each.getKey()))) {
                return Optional.of("'" + each.getKey() + "', traced");
            }
        }
        for (Map.Entry<String, String> each : hashes(engine.run(inputs)).entrySet()) {
            if (!each.getValue().equals(results.get(each.getKey()))) {
                return Optional.of("'" + each.getKey() + "', run");
            }
        }
        return Optional.empty();
    }

    private static Map<String, String> hashes(Map<String, Batch> batches) {
        Map<String, String> hashes = new LinkedHashMap<>();
        batches.forEach((name, batch) -> hashes.put(name, hash(batch)));
        return hashes;
    }

    private static String hash(Batch batch) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            if (batch instanceof Batch.Codes codes) {
                digest.update(codes.containers());
            } else {
                float[] values = ((Batch.Floats) batch).values();
                ByteBuffer bytes =
                        ByteBuffer.allocate(values.length * Float.BYTES)
                                .order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(values);
                digest.update(bytes);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    /**
     * Writes the run.
     *
     * @param path the file
     * @throws IOException if it cannot be written
     */
    public void write(Path path) throws IOException {
        try (DataOutputStream out =
                new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(path)))) {
            out.writeInt(MAGIC);
            out.writeInt(inputs.size());
            for (Map.Entry<String, Batch.Floats> input : inputs.entrySet()) {
                Batch.Floats batch = input.getValue();
                out.writeUTF(input.getKey());
                out.writeInt(batch.size());
                out.writeInt(batch.shape().rank());
                for (int size : batch.shape().dimensions()) {
                    out.writeInt(size);
                }
                for (float value : batch.values()) {
                    out.writeFloat(value);
                }
            }
            out.writeInt(results.size());
            for (Map.Entry<String, String> result : results.entrySet()) {
                out.writeUTF(result.getKey());
                out.writeUTF(result.getValue());
            }
        }
    }

    /**
     * {@return the run of a file}
     *
     * @param path the file
     * @throws IOException if it cannot be read, or is no golden run
     */
    public static GoldenRun read(Path path) throws IOException {
        try (DataInputStream in =
                new DataInputStream(new BufferedInputStream(Files.newInputStream(path)))) {
            if (in.readInt() != MAGIC) {
                throw new IOException(path + " is no golden run");
            }
            Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
            for (int left = in.readInt(); left > 0; left--) {
                inputs.put(in.readUTF(), batch(in));
            }
            Map<String, String> results = new LinkedHashMap<>();
            for (int left = in.readInt(); left > 0; left--) {
                results.put(in.readUTF(), in.readUTF());
            }
            return new GoldenRun(inputs, results);
        } catch (IllegalArgumentException e) {
            throw new IOException(path + " is a damaged golden run: " + e.getMessage(), e);
        }
    }

    private static Batch.Floats batch(DataInputStream in) throws IOException {
        int examples = in.readInt();
        int rank = in.readInt();
        Require.argument(examples > 0 && rank > 0 && rank < 10, "%d examples", examples);
        List<Integer> sizes = new ArrayList<>();
        for (int i = 0; i < rank; i++) {
            sizes.add(in.readInt());
        }
        Shape shape = new Shape(sizes);
        float[] values = new float[Math.multiplyExact(examples, shape.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = in.readFloat();
        }
        return Objects.requireNonNull(Batch.Floats.of(examples, shape, values));
    }
}
