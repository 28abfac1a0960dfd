// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.DeviceAttribute;
import org.dl4jquant.cuda.driver.LibCuda;
import org.dl4jquant.cuda.kernel.Architecture;

/**
 * A GPU, and what of this module runs on it.
 *
 * @param name such as {@code NVIDIA H200}
 * @param architecture the number, such as 90
 * @param driverVersion 1000 times the major number of the newest CUDA that the driver knows, and 10
 *     times the minor
 * @param multiprocessors how many
 * @param memoryBytes its memory
 * @param cacheBytes its second-level cache
 */
public record DeviceReport(
        String name,
        int architecture,
        int driverVersion,
        int multiprocessors,
        long memoryBytes,
        long cacheBytes) {

    private static final int LEAST = 75;
    private static final int GIB = 30;
    private static final int MIB = 20;

    /* The first driver that loads what NVRTC 12 makes. */
    private static final int LEAST_DRIVER = 12_000;

    /**
     * {@return this machine's GPUs}
     *
     * @throws CudaException if there is no driver
     */
    public static List<DeviceReport> all() {
        CudaDriver driver = LibCuda.open();
        driver.init();
        List<DeviceReport> all = new ArrayList<>();
        for (int number = 0; number < driver.deviceCount(); number++) {
            all.add(of(driver, number));
        }
        return all;
    }

    static DeviceReport of(CudaDriver driver, int number) {
        return new DeviceReport(
                driver.deviceName(number),
                Device.architecture(driver, number),
                driver.version(),
                driver.attribute(number, DeviceAttribute.MULTIPROCESSORS),
                driver.memoryBytes(number),
                driver.attribute(number, DeviceAttribute.L2_CACHE_BYTES));
    }

    /** {@return whether INT8 networks run: from Turing (sm_75) on} */
    public boolean runsInt8() {
        return architecture >= LEAST && architecture < 100;
    }

    /**
     * {@return what kernels are compiled for that shall run here}
     *
     * @throws IllegalArgumentException if the GPU is older than Turing, or newer than Hopper
     */
    public Architecture compiledFor() {
        Require.argument(
                runsInt8(),
                "%s is sm_%d; engines are compiled for GPUs from sm_75 to sm_90",
                name,
                architecture);
        List<String> known = new ArrayList<>();
        for (Architecture each : Architecture.values()) {
            known.add(each.target());
        }
        String best = ProgramChoice.best(known, architecture).orElseThrow();
        return Architecture.valueOf(best.toUpperCase(Locale.ROOT));
    }

    /**
     * {@return which programs of an engine this GPU runs; empty if none}
     *
     * @param file the engine
     */
    public Optional<String> wouldRun(EngineFile file) {
        return ProgramChoice.best(file.architectures(), architecture);
    }

    /**
     * {@return whether and how this GPU runs an engine, in words}
     *
     * @param file the engine
     */
    public String verdict(EngineFile file) {
        Optional<String> chosen = wouldRun(file);
        if (chosen.isEmpty()) {
            return "does not run here: it has code for %s, and %s needs %s"
                    .formatted(
                            file.architectures(),
                            name,
                            runsInt8() ? compiledFor().target() : "sm_75 to sm_90");
        }
        if (driverVersion < LEAST_DRIVER) {
            return "may not run here: the driver knows CUDA %s, and 12.0 is needed"
                    .formatted(version());
        }
        String best = compiledFor().target();
        return chosen.get().equals(best)
                ? "runs here with its code for " + best
                : "runs here with its code for %s; code for %s would be faster, with the same results"
                        .formatted(chosen.get(), best);
    }

    private String version() {
        return driverVersion / 1000 + "." + driverVersion % 1000 / 10;
    }

    /** {@return the GPU in some lines} */
    @Override
    public String toString() {
        return """
                %s, sm_%d, %d multiprocessors, %.1f GiB, %d MiB of cache, driver for CUDA %s
                  INT8 on Tensor Cores: %s
                  INT4 weights, INT8 activations: %s, unpacked in registers
                  FP16: not an integer; layers kept in float16 do not lower"""
                .formatted(
                        name,
                        architecture,
                        multiprocessors,
                        (double) memoryBytes / (1L << GIB),
                        cacheBytes >> MIB,
                        version(),
                        runsInt8() ? "yes, code for " + compiledFor().target() : "no",
                        runsInt8() ? "yes" : "no");
    }
}
