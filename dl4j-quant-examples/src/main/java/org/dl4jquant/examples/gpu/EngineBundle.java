// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.cuda.EngineCompiler;
import org.dl4jquant.cuda.GoldenRun;
import org.dl4jquant.cuda.GpuRunner;
import org.dl4jquant.cuda.Target;
import org.dl4jquant.cuda.Trial;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;

/**
 * Writes the files that {@link GpuRunner} reads: engines, each with a golden run, and the runner
 * itself.
 */
final class EngineBundle {

    private final Path folder;
    private final EngineCompiler compiler;
    private final Target target;

    /**
     * Begins a bundle with the kernels that try single instructions.
     *
     * @param folder where to; files of the same names are replaced
     * @param compiler compiles the engines
     * @param target for which GPUs
     * @throws IOException if the folder cannot be written to
     */
    EngineBundle(Path folder, EngineCompiler compiler, Target target) throws IOException {
        this.folder = folder;
        this.compiler = compiler;
        this.target = target.withTraces();
        Files.createDirectories(folder);
        GpuRunner.conformance(compiler, target.architectures())
                .write(folder.resolve("conformance.engine"));
    }

    /**
     * Compiles an engine.
     *
     * @param name the engine's name
     * @param graph its graph
     * @param examples the batch that its kernels are cut for
     * @param trial how it is tried; {@link #addGolden} must be called once for its model
     */
    void addEngine(String name, IntGraph graph, int examples, Trial trial) throws IOException {
        compiler.compile(graph, target.withExamples(examples))
                .write(folder.resolve(name + ".engine"));
        trial.write(folder, name);
    }

    /**
     * Runs the reference engine on random inputs of a normal distribution.
     *
     * @param model the model's name
     * @param graph its graph
     * @param examples how many inputs
     * @return the run
     */
    GoldenRun addGolden(String model, IntGraph graph, int examples) throws IOException {
        try (Engine reference = Engine.open("reference", graph)) {
            GoldenRun run = GoldenRun.of(reference, inputs(graph.inputs(), examples));
            run.write(folder.resolve(model + ".golden"));
            return run;
        }
    }

    /**
     * Adds the jars and the script that runs it all.
     *
     * @param java whether a Java runtime is added, too
     */
    void complete(boolean java) throws IOException {
        RunnerFolder.complete(folder);
        if (java) {
            RunnerFolder.addJava(folder);
        }
    }

    private static Map<String, Batch.Floats> inputs(List<Input> ports, int examples) {
        Random random = new Random(1);
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        for (Input input : ports) {
            float[] values = new float[examples * input.shape().elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            inputs.put(input.name(), Batch.Floats.of(examples, input.shape(), values));
        }
        return inputs;
    }
}
