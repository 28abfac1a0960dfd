// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.files.BoundedInput;
import org.dl4jquant.files.Bounds;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.files.WholeFile;
import org.dl4jquant.numeric.Shape;

/**
 * Inputs, and what the reference engine makes of them: whoever has these and an engine file can
 * tell whether a GPU returns the same integers, without the graph.
 *
 * @param inputs one batch for each input, by name
 * @param results SHA-256 of each node's result, by name, in the graph's order; then, by the name
 *     with {@value #VALUES} after it, that of each output's values after its last functions
 */
public record GoldenRun(Map<String, Batch.Floats> inputs, Map<String, String> results) {

    /** What stands after an output's name where its last functions have been applied. */
    static final String VALUES = "\nvalues";

    private static final int MAGIC = 0x4451474f; // DQGO
    private static final int OLD_MAGIC = 0x44514752; // DQGR
    private static final int FORMAT = 2;
    private static final int HEAD_BYTES = 3 * Integer.BYTES;
    private static final int MANY = Integer.MAX_VALUE;

    /* No layer of DL4J has more than 5. */
    private static final int MOST_DIMENSIONS = 9;

    /* A name's length, examples, dimensions, one size, one value. */
    private static final int LEAST_INPUT_BYTES = 5 * Integer.BYTES;

    /* Two texts' lengths. */
    private static final int LEAST_RESULT_BYTES = 2 * Integer.BYTES;

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
        Map<String, String> results = hashes(reference.trace(inputs));
        hashes(reference.run(inputs))
                .forEach(
                        (output, hash) -> {
                            if (reference.graph().functions().containsKey(output)) {
                                results.put(output + VALUES, hash);
                            }
                        });
        return new GoldenRun(inputs, results);
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
            boolean node = !each.getKey().endsWith(VALUES);
            if (node && !each.getValue().equals(traced.get(each.getKey()))) {
                return Optional.of("'" + each.getKey() + "', traced");
            }
        }
        for (Map.Entry<String, String> each : hashes(engine.run(inputs)).entrySet()) {
            String scores = results.get(each.getKey());
            if (!each.getValue().equals(results.getOrDefault(each.getKey() + VALUES, scores))) {
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
        if (batch instanceof Batch.Codes codes) {
            return Checksum.sha256Hex(ByteBuffer.wrap(codes.containers()));
        }
        float[] values = ((Batch.Floats) batch).values();
        ByteBuffer bytes =
                ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return Checksum.sha256Hex(bytes);
    }

    /**
     * Writes the run; an older file stays whole until the new one is.
     *
     * <p>Big-endian: the letters {@code DQGO}; the format's number, int32; the CRC-32C of all that
     * follows; then the inputs and the results, each with their number in front. A text is its
     * length in bytes and its UTF-8.
     *
     * @param path the file
     * @throws IOException if it cannot be written
     */
    public void write(Path path) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        writeContent(new DataOutputStream(content));
        WholeFile.write(
                path,
                file -> {
                    DataOutputStream out = new DataOutputStream(file);
                    out.writeInt(MAGIC);
                    out.writeInt(FORMAT);
                    out.writeInt(Checksum.crc32c(content.toByteArray()));
                    content.writeTo(out);
                });
    }

    private void writeContent(DataOutputStream out) throws IOException {
        out.writeInt(inputs.size());
        for (Map.Entry<String, Batch.Floats> input : inputs.entrySet()) {
            Batch.Floats batch = input.getValue();
            writeText(out, input.getKey());
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
            writeText(out, result.getKey());
            writeText(out, result.getValue());
        }
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    /**
     * {@return the run of a file}
     *
     * @param path the file
     * @throws IOException if it cannot be read, is damaged, or is no golden run
     */
    public static GoldenRun read(Path path) throws IOException {
        BoundedInput in = BoundedInput.of(path, ByteOrder.BIG_ENDIAN);
        int magic = in.left() < HEAD_BYTES ? 0 : in.int32("the letters");
        if (magic == OLD_MAGIC) {
            throw new IOException(
                    path
                            + " is a golden run without a checksum, of an earlier version: make it"
                            + " again with the engine");
        }
        if (magic != MAGIC) {
            throw new IOException(path + " is no golden run");
        }
        try {
            int format = in.int32("the format");
            Require.argument(
                    format == FORMAT,
                    "its format is %d, and this version reads %d",
                    format,
                    FORMAT);
            in.check(in.int32("the checksum"));
            GoldenRun run = new GoldenRun(inputs(in), results(in));
            in.end();
            return run;
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    path + " is a damaged golden run: " + e.getMessage() + "; copy it again", e);
        }
    }

    private static Map<String, Batch.Floats> inputs(BoundedInput in) {
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        for (int left = in.count("inputs", LEAST_INPUT_BYTES); left > 0; left--) {
            String name = in.text("an input's name");
            Require.argument(!inputs.containsKey(name), "two inputs are named '%s'", name);
            inputs.put(name, batch(in, name));
        }
        return inputs;
    }

    private static Map<String, String> results(BoundedInput in) {
        Map<String, String> results = new LinkedHashMap<>();
        for (int left = in.count("results", LEAST_RESULT_BYTES); left > 0; left--) {
            String name = in.text("a result's name");
            Require.argument(!results.containsKey(name), "two results are named '%s'", name);
            results.put(name, in.text("the digest of '" + name + "'"));
        }
        return results;
    }

    private static Batch.Floats batch(BoundedInput in, String name) {
        int examples = Bounds.number(name + "'s examples", in.int32("examples"), 1, MANY);
        int rank =
                Bounds.number(name + "'s dimensions", in.int32("dimensions"), 1, MOST_DIMENSIONS);
        List<Integer> sizes = new ArrayList<>();
        for (int i = 0; i < rank; i++) {
            sizes.add(Bounds.number(name + "'s size", in.int32("a size"), 1, MANY));
        }
        List<Integer> all = new ArrayList<>(sizes);
        all.add(examples);
        long count = Bounds.elements(name, all, in.left() / Float.BYTES);
        return Batch.Floats.of(examples, new Shape(sizes), in.floats(name, count));
    }
}
