// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import org.dl4jquant.cuda.driver.CudaException;

/** A GPU has too little free memory for a batch. The engine stays usable for smaller ones. */
public final class OutOfDeviceMemoryException extends RuntimeException {

    private static final long serialVersionUID = 1;

    OutOfDeviceMemoryException(String message, CudaException cause) {
        super(message, cause);
    }

    /* What to throw for an error of the driver while memory was reserved. */
    static RuntimeException orElse(CudaException error, long bytes, int examples, Device device) {
        return error.result() == CudaException.OUT_OF_MEMORY
                ? new OutOfDeviceMemoryException(
                        "a batch of %,d examples needs %,d bytes on %s, of which %,d are free; run smaller batches, or close other engines"
                                .formatted(
                                        examples,
                                        bytes,
                                        device.name(),
                                        device.driver().freeBytes()),
                        error)
                : error;
    }
}
