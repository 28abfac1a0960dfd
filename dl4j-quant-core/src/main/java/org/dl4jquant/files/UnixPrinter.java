// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import org.nd4j.shade.jackson.core.util.DefaultIndenter;
import org.nd4j.shade.jackson.core.util.DefaultPrettyPrinter;

/** Indents JSON as Jackson does, but alike on every platform. */
final class UnixPrinter extends DefaultPrettyPrinter {

    private static final long serialVersionUID = 1L;

    UnixPrinter() {
        indentObjectsWith(new DefaultIndenter("  ", "\n"));
    }

    @Override
    public DefaultPrettyPrinter createInstance() {
        return new UnixPrinter();
    }
}
