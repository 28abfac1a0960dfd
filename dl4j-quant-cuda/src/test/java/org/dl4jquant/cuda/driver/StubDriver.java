// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;

/**
 * A CUDA driver in C++, compiled by g++, which writes down what it is asked; see {@code
 * src/test/cuda/driver_stub.cpp}.
 */
final class StubDriver {

    private static final Path SOURCE = Path.of("src", "test", "cuda", "driver_stub.cpp");

    private final NativeLibrary library;
    private final Path file;

    private StubDriver(Path file) {
        this.file = file;
        this.library = NativeLibrary.getInstance(file.toString());
        library.getFunction("stub_reset").invokeVoid(new Object[0]);
    }

    /**
     * {@return the stub, loaded and without any calls}
     *
     * @param file what {@link #compile} returned
     */
    static StubDriver load(Path file) {
        return new StubDriver(file);
    }

    /**
     * {@return the stub, compiled; where there is no g++, the calling test is reported as not run}
     *
     * @param folder where to
     * @param flags more flags
     */
    static Path compile(Path folder, String... flags) {
        Path file = folder.resolve("driver_stub" + flags.length + ".so").toAbsolutePath();
        List<String> command = new ArrayList<>(List.of("g++", "-shared", "-fPIC", "-Wall"));
        command.addAll(List.of(flags));
        command.addAll(List.of("-o", file.toString(), SOURCE.toString()));
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(output);
            }
        } catch (IOException e) {
            Assumptions.abort("not run: the driver's stub needs g++ on the path");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while g++ ran", e);
        }
        return file;
    }

    /**
     * {@return a binding that is bound to nothing yet, whatever the process's own is bound to}
     *
     * @param path the library to bind it to
     */
    static CudaDriver open(Path path) {
        try {
            return (CudaDriver)
                    new FreshBinding()
                            .loadClass(LibCuda.class.getName())
                            .getMethod("open", Path.class)
                            .invoke(null, path);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** {@return a binding to this stub, bound to nothing else} */
    CudaDriver bound() {
        return open(file);
    }

    /** {@return the calls since the last question, one a line, with their arguments} */
    List<String> calls() {
        List<String> calls =
                library.getFunction("stub_calls")
                        .invokeString(new Object[0], false)
                        .lines()
                        .toList();
        library.getFunction("stub_reset").invokeVoid(new Object[0]);
        return calls;
    }

    /**
     * Makes a function fail, until the calls are asked for.
     *
     * @param function its exported name
     * @param result what it returns
     */
    void fail(String function, int result) {
        library.getFunction("stub_fail").invokeVoid(new Object[] {function, result});
    }

    /**
     * Sets what CUDA the driver knows.
     *
     * @param version such as 12090
     */
    void version(int version) {
        library.getFunction("stub_version").invokeVoid(new Object[] {version});
    }

    /**
     * Sets how many arguments kernels have.
     *
     * @param count how many are written down
     */
    void launchArguments(int count) {
        library.getFunction("stub_launch_arguments").invokeVoid(new Object[] {count});
    }

    /** Defines the classes of the binding anew; what tests see of them are the usual ones. */
    private static final class FreshBinding extends ClassLoader {

        private static final String PACKAGE = LibCuda.class.getPackageName() + ".";

        private static final Set<String> SHARED =
                Set.of(
                        CudaDriver.class.getName(),
                        CudaException.class.getName(),
                        DeviceAttribute.class.getName());

        FreshBinding() {
            super(LibCuda.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(PACKAGE) || SHARED.contains(name)) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded == null ? define(name) : loaded;
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            String resource = name.replace('.', '/') + ".class";
            try (InputStream in = getParent().getResourceAsStream(resource)) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
