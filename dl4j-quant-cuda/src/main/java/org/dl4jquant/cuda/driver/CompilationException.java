// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

/** A compiler refused a source, or cannot be used. */
public final class CompilationException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final String log;

    /**
     * Says what went wrong.
     *
     * @param message what was compiled and what happened; the log is added to it
     * @param log what the compiler said, empty if nothing
     */
    CompilationException(String message, String log) {
        super(log.isBlank() ? message : message + ":\n" + log.strip());
        this.log = log;
    }

    /** {@return what the compiler said, empty if nothing} */
    public String log() {
        return log;
    }
}
