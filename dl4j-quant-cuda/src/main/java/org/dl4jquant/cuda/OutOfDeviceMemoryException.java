// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import org.dl4jquant.cuda.driver.CudaException;

/** A GPU has too little free memory for a batch. The engine stays usable for smaller ones. */
public final class OutOfDeviceMemoryException extends RuntimeException {

    private static final long serialVersionUID = 1;

    OutOfDeviceMemoryException(String message, CudaException cause) {
        super(message, cause);
    }
}
