// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;

/** Runs a command line so that a user's mistake gets a short message, and no stack trace. */
public final class CommandLines {

    /** The exit status of success. */
    public static final int OK = 0;

    /** The exit status of a wrong result, such as engines that differ. */
    public static final int WRONG_RESULT = 1;

    /** The exit status of a wrong option, file or folder. */
    public static final int WRONG_INPUT = 2;

    /** The largest number of any option. */
    public static final int NO_LIMIT = Integer.MAX_VALUE;

    private CommandLines() {}

    /**
     * {@return the command's exit status, or {@link #WRONG_INPUT}}
     *
     * @param command an object with picocli's annotations
     * @param args the arguments of the command line
     */
    public static int run(Callable<Integer> command, String... args) {
        return run(command, new PrintWriter(System.err, true, Charset.defaultCharset()), args);
    }

    /**
     * {@return the command's exit status, or {@link #WRONG_INPUT}}
     *
     * @param command an object with picocli's annotations
     * @param errors gets the messages
     * @param args the arguments of the command line
     */
    public static int run(Callable<Integer> command, PrintWriter errors, String... args) {
        return new CommandLine(command)
                .setErr(errors)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((e, typed) -> explain(e.getCommandLine(), message(e)))
                .setExecutionExceptionHandler(
                        (e, line, parsed) -> {
                            if (e instanceof IOException || e instanceof UncheckedIOException) {
                                return explain(line, message(e));
                            }
                            throw e;
                        })
                .execute(args);
    }

    /** Refuses a number outside its bounds, both ends included, as picocli refuses what is none. */
    public static void require(
            CommandLine.Model.CommandSpec command, String option, int value, int least, int most) {
        if (value < least || value > most) {
            String allowed = most == NO_LIMIT ? least + " or more" : least + " to " + most;
            throw new CommandLine.ParameterException(
                    command.commandLine(),
                    "%s is %d, but must be %s".formatted(option, value, allowed));
        }
    }

    /** Refuses a file that nothing can be written to, before there is anything to write. */
    public static void requirePlace(
            CommandLine.Model.CommandSpec command, String option, Path file) {
        Path folder = file.toAbsolutePath().getParent();
        boolean isFolder = Files.isDirectory(file);
        if (isFolder || folder == null || !Files.isDirectory(folder)) {
            throw new CommandLine.ParameterException(
                    command.commandLine(),
                    isFolder
                            ? "%s is %s, which is a folder; name a file".formatted(option, file)
                            : "%s is %s, but there is no folder %s; make it, or name another"
                                    .formatted(option, file, folder));
        }
    }

    private static int explain(CommandLine line, String message) {
        line.getErr()
                .println(line.getCommandName() + ": " + message + " (--help lists the options)");
        line.getErr().flush();
        return WRONG_INPUT;
    }

    private static String message(Exception e) {
        Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
        if (cause instanceof FileSystemException file && file.getReason() == null) {
            return file.getFile() + ": " + reason(file);
        }
        return String.valueOf(e.getMessage());
    }

    /* What the JDK says by the exception's type only. */
    private static String reason(FileSystemException e) {
        if (e instanceof AccessDeniedException) {
            return "access is denied";
        }
        if (e instanceof FileAlreadyExistsException) {
            return "there is a file of this name; name a folder";
        }
        if (e instanceof NoSuchFileException) {
            return "there is no such file or folder";
        }
        return "it cannot be read or written";
    }
}
