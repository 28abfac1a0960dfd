// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.function.LongSupplier;
import org.dl4jquant.check.Require;

/**
 * A second JVM in which DL4J computes out of the box, without oneDNN: a property decides that, once
 * per JVM. It runs a task whenever it is told to and answers with the nanoseconds that it took, so
 * that both JVMs can be timed in turn.
 */
final class StockDl4j implements AutoCloseable {

    /* A line per task on the child's standard input, a marked line per answer on its output. */

    private static final String HELPERS_OFF = "-Dorg.eclipse.deeplearning4j.helpers.disable=true";
    private static final String MARK = "nanos:";

    private final Process process;
    private final Writer tasks;
    private final BufferedReader answers;

    private StockDl4j(Process process) {
        this.process = process;
        tasks = process.outputWriter(StandardCharsets.UTF_8);
        answers = process.inputReader(StandardCharsets.UTF_8);
    }

    /** Starts the JVM, with this one's class path, environment and Java. */
    static StockDl4j start() throws IOException {
        return new StockDl4j(ChildJvm.start(HELPERS_OFF, StockDl4j.class.getName()));
    }

    /** Returns a task that runs there and reports its time. */
    LongSupplier nanos(FloatTask task) {
        return () -> {
            try {
                tasks.write(task.name() + "\n");
                tasks.flush();
                return answer();
            } catch (IOException e) {
                throw new UncheckedIOException("the second JVM, of DL4J out of the box, ended", e);
            }
        };
    }

    /* Native libraries print lines of their own. */
    private long answer() throws IOException {
        String line = answers.readLine();
        while (line != null && !line.startsWith(MARK)) {
            line = answers.readLine();
        }
        if (line == null) {
            throw new IOException("it closed its output; its last messages are above");
        }
        return Long.parseLong(line.substring(MARK.length()));
    }

    @Override
    public void close() {
        process.destroy();
    }

    /**
     * The second JVM's program: it runs the tasks that it reads until there are no more.
     *
     * @param args none
     * @throws IOException if the first JVM is gone
     */
    public static void main(String[] args) throws IOException {
        FloatTask.Bench bench = new FloatTask.Bench();
        Require.state(!bench.usesOneDnn(), "DL4J uses oneDNN although %s was given", HELPERS_OFF);
        BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String task = in.readLine(); task != null; task = in.readLine()) {
            Runnable runnable = bench.runnable(FloatTask.valueOf(task));
            long start = System.nanoTime();
            runnable.run();
            System.out.println(MARK + (System.nanoTime() - start));
            System.out.flush();
        }
    }
}
