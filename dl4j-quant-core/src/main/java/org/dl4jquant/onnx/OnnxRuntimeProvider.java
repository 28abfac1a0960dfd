// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EngineProvider;
import org.dl4jquant.graph.IntGraph;

/**
 * Makes the engine {@code onnxruntime}, which runs a graph with the integer kernels of ONNX
 * Runtime.
 *
 * <p>Needs {@code com.microsoft.onnxruntime:onnxruntime} on the class path; this library does not
 * bring it.
 */
public final class OnnxRuntimeProvider implements EngineProvider {

    /** The name that {@link Engine#open} knows the engine by. */
    public static final String NAME = "onnxruntime";

    /** The version that the integer contract was proven with. */
    static final String PROVEN_VERSION = "1.28.0";

    /** For {@link java.util.ServiceLoader}. */
    public OnnxRuntimeProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Engine open(IntGraph graph) {
        return open(graph, OnnxRuntimeOptions.DEFAULT);
    }

    /**
     * Opens the engine with options.
     *
     * @param graph the graph to run
     * @param options how to run it
     * @return the engine
     * @throws IllegalStateException if ONNX Runtime is not on the class path or does not run here
     */
    public static Engine open(IntGraph graph, OnnxRuntimeOptions options) {
        Require.given(graph, "graph");
        Require.given(options, "options");
        try {
            return new OnnxRuntimeEngine(graph, options);
        } catch (NoClassDefFoundError e) {
            throw new IllegalStateException(
                    "the engine 'onnxruntime' needs ONNX Runtime, which is not on the class path;"
                            + " add the dependency com.microsoft.onnxruntime:onnxruntime:"
                            + PROVEN_VERSION,
                    e);
        } catch (UnsatisfiedLinkError | ExceptionInInitializerError e) {
            throw new IllegalStateException(
                    "the native library of ONNX Runtime cannot be loaded here ("
                            + e
                            + "); it is there for Linux, Windows and macOS on 64-bit processors",
                    e);
        }
    }
}
