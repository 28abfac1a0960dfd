// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.DeviceAttribute;

/** A GPU whose primary context is held. */
final class Device implements AutoCloseable {

    private final CudaDriver driver;
    private final int number;
    private final long context;

    private Device(CudaDriver driver, int number) {
        this.driver = driver;
        this.number = number;
        this.context = driver.retainPrimaryContext(number);
    }

    /**
     * {@return a GPU of this machine}
     *
     * @param driver the driver
     * @param number which GPU
     * @throws CudaException if there is none of this number
     */
    static Device open(CudaDriver driver, int number) {
        driver.init();
        int count = driver.deviceCount();
        Require.argument(
                number >= 0 && number < count,
                "there is no GPU %d; this machine has %d, numbered from 0",
                number,
                count);
        return new Device(driver, number);
    }

    CudaDriver driver() {
        return driver;
    }

    /** Makes its context the calling thread's. */
    void enter() {
        driver.setCurrent(context);
    }

    /** {@return its name} */
    String name() {
        return driver.deviceName(number);
    }

    /** {@return the architecture's number, such as 90} */
    int architecture() {
        return architecture(driver, number);
    }

    DeviceReport report() {
        return DeviceReport.of(driver, number);
    }

    static int architecture(CudaDriver driver, int number) {
        return 10 * driver.attribute(number, DeviceAttribute.ARCHITECTURE_MAJOR)
                + driver.attribute(number, DeviceAttribute.ARCHITECTURE_MINOR);
    }

    @Override
    public void close() {
        driver.releasePrimaryContext(number);
    }
}
