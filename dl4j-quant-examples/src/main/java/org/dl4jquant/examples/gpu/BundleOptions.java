// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.io.IOException;
import java.nio.file.Path;
import org.dl4jquant.cuda.EngineCompiler;
import org.dl4jquant.cuda.Target;
import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.examples.cli.CommandLines;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/** The options of a bundle for a machine with a GPU. */
final class BundleOptions {

    private static final Logger log = LoggerFactory.getLogger(BundleOptions.class);

    @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    @CommandLine.Option(
            names = "--arch",
            required = true,
            description = "the GPUs: one or several of sm_75, sm_80, sm_86, sm_89, sm_90, sm_90a")
    private String architectures = "";

    @CommandLine.Option(
            names = {"-o", "--out"},
            required = true,
            description = "the folder; files of the same names are replaced")
    private Path out = Path.of("");

    @CommandLine.Option(
            names = "--tactics",
            paramLabel = "N",
            defaultValue = "2",
            description =
                    "how many kernels of each product, for each of several batches, are there for the"
                            + " GPU to choose from; 0 for the one that the model chooses (default:"
                            + " ${DEFAULT-VALUE})")
    private int tactics;

    @CommandLine.Option(
            names = "--examples",
            paramLabel = "N",
            defaultValue = "2",
            description = "how many random inputs are compared (default: ${DEFAULT-VALUE})")
    private int examples;

    @CommandLine.Option(
            names = "--jre",
            description = "adds a Java runtime, for a machine of this one's kind that has none")
    private boolean jre;

    /** Puts models into a bundle. */
    interface Models {

        /** Adds engines, and a golden run of so many inputs for each model. */
        void addTo(EngineBundle bundle, int examples) throws IOException;
    }

    /** Makes the bundle; refuses what cannot be with picocli's exception. */
    void make(Models models) throws IOException {
        CommandLines.require(command, "--examples", examples, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--tactics", tactics, 0, CommandLines.NO_LIMIT);
        try {
            Target target = Target.parse(architectures).withTactics(tactics);
            EngineBundle bundle = new EngineBundle(out, EngineCompiler.find(), target);
            models.addTo(bundle, examples);
            bundle.complete(jre);
            log.info("On the machine with the GPU: {}/run.sh", out.getFileName());
        } catch (IllegalArgumentException | CompilationException e) {
            throw new CommandLine.ParameterException(
                    command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
