// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

/** Bytes that are no message of the expected kind; the message names offset and field. */
public final class MalformedMessageException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    MalformedMessageException(String message) {
        super(message);
    }
}
