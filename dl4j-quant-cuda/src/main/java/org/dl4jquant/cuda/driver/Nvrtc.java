// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.StringArray;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * NVRTC, NVIDIA's compiler as a library.
 *
 * <p>It is looked for in the path that the system property {@link #PROPERTY} gives, and nowhere
 * else if there is one; else in the system, see {@link #find}.
 */
public final class Nvrtc implements CudaCompiler {

    /* Two traps are avoided here. NVRTC opens its builtins (libnvrtc-builtins.so) by name when it first
     * compiles, and finds them in folders of the system only; once they are loaded by their path, the
     * name is known. And JNA takes a relative path for a name, so all paths are absolute. */

    /** The system property with the path of libnvrtc. */
    public static final String PROPERTY = "dl4jquant.nvrtc";

    private static final int SUCCESS = 0;
    private static final int COMPILATION = 6;

    private static final String REMEDY =
            "Give the path of its libnvrtc.so in -D"
                    + PROPERTY
                    + ", install the CUDA toolkit, or put the jar"
                    + " org.bytedeco:cuda-redist:12.9-9.10-1.5.12:linux-x86_64 on the class path";

    private static final Object FINDING = new Object();
    private static @Nullable Nvrtc found;

    private final NativeLibrary library;

    /** Referred to, so that it stays loaded for as long as NVRTC. */
    private final Optional<NativeLibrary> builtins;

    private Nvrtc(NativeLibrary library, Optional<NativeLibrary> builtins) {
        this.library = library;
        this.builtins = builtins;
    }

    /**
     * {@return the machine's NVRTC, of the first place that has one}
     *
     * <p>The places: the system property; the folders of {@code LD_LIBRARY_PATH}, of the CUDA
     * toolkit and of the system's libraries, in each of them the newest version; the class path,
     * where the jar {@code org.bytedeco:cuda-redist} has it, which is unpacked once to a {@link
     * UnpackedLibraries#PROPERTY folder}.
     *
     * @throws CompilationException if there is none
     */
    public static Nvrtc find() {
        String path = System.getProperty(PROPERTY);
        if (path != null) {
            return open(Path.of(path));
        }
        synchronized (FINDING) {
            if (found == null) {
                found = first(NvrtcPlaces.newest());
            }
            return found;
        }
    }

    /**
     * {@return the NVRTC that was found}
     *
     * @param place where, if anywhere
     * @throws CompilationException if nowhere
     */
    static Nvrtc first(Optional<Path> place) {
        String missing =
                "NVRTC was not found; looked in " + NvrtcPlaces.described() + ". " + REMEDY;
        return open(place.orElseThrow(() -> new CompilationException(missing, "")));
    }

    /**
     * {@return the NVRTC of a file; its builtins are those beside it, if there are some}
     *
     * @param path libnvrtc
     * @throws CompilationException if it cannot be loaded, or lacks a function
     */
    public static Nvrtc open(Path path) {
        Path absolute = path.toAbsolutePath();
        try {
            NativeLibrary library = NativeLibrary.getInstance(absolute.toString());
            Optional<NativeLibrary> builtins =
                    NvrtcPlaces.builtinsBeside(absolute)
                            .map(file -> NativeLibrary.getInstance(file.toString()));
            library.getFunction("nvrtcGetCUBIN");
            return new Nvrtc(library, builtins);
        } catch (UnsatisfiedLinkError e) {
            throw new CompilationException(
                    "NVRTC cannot be loaded from " + absolute + ". " + REMEDY,
                    String.valueOf(e.getMessage()));
        }
    }

    /** {@return the file that it was loaded from} */
    public Path file() {
        return library.getFile().toPath();
    }

    /** {@return whether its builtins were beside it; else it looks for them in the system} */
    public boolean hasBuiltins() {
        return builtins.isPresent();
    }

    @Override
    public String version() {
        int[] major = new int[1];
        int[] minor = new int[1];
        check(call("nvrtcVersion", major, minor), "nvrtcVersion");
        return "NVRTC " + major[0] + "." + minor[0];
    }

    @Override
    public List<Integer> architectures() {
        int[] count = new int[1];
        check(call("nvrtcGetNumSupportedArchs", count), "nvrtcGetNumSupportedArchs");
        int[] architectures = new int[count[0]];
        check(call("nvrtcGetSupportedArchs", architectures), "nvrtcGetSupportedArchs");
        return Arrays.stream(architectures).sorted().boxed().toList();
    }

    @Override
    public CompiledCuda compile(CudaSource source, List<String> options) {
        Pointer[] program = new Pointer[1];
        String[] names = source.headers().keySet().toArray(new String[0]);
        String[] texts = source.headers().values().toArray(new String[0]);
        check(
                call(
                        "nvrtcCreateProgram",
                        program,
                        zeroTerminated(source.text()),
                        zeroTerminated(source.name()),
                        names.length,
                        strings(texts),
                        strings(names)),
                "nvrtcCreateProgram(" + source.name() + ")");
        try {
            return compile(source.name(), program[0], options);
        } finally {
            call("nvrtcDestroyProgram", (Object) program);
        }
    }

    private CompiledCuda compile(String name, Pointer program, List<String> options) {
        int result =
                call(
                        "nvrtcCompileProgram",
                        program,
                        options.size(),
                        strings(options.toArray(new String[0])));
        String log = text(program, "nvrtcGetProgramLog");
        if (result != SUCCESS) {
            String reason = result == COMPILATION ? "does not compile" : error(result);
            throw new CompilationException(
                    name + ": " + reason + " (" + version() + ", " + options + ")", log);
        }
        byte[] cubin = bytes(program, "nvrtcGetCUBIN");
        if (cubin.length == 0) {
            throw new CompilationException(
                    name
                            + ": no machine code was made with the options "
                            + options
                            + "; --gpu-architecture must be of the form sm_XX",
                    log);
        }
        return new CompiledCuda(cubin, log);
    }

    private String text(Pointer program, String what) {
        byte[] bytes = bytes(program, what);
        // What is counted includes the zero at the end.
        return new String(bytes, 0, Math.max(0, bytes.length - 1), StandardCharsets.UTF_8);
    }

    private byte[] bytes(Pointer program, String what) {
        long[] size = new long[1];
        check(call(what + "Size", program, size), what + "Size");
        byte[] bytes = new byte[Math.toIntExact(size[0])];
        if (bytes.length > 0) {
            check(call(what, program, bytes), what);
        }
        return bytes;
    }

    private int call(String function, Object... arguments) {
        return function(function).invokeInt(arguments);
    }

    private Function function(String name) {
        return library.getFunction(name);
    }

    private void check(int result, String call) {
        if (result != SUCCESS) {
            throw new CompilationException(call + " failed: " + error(result), "");
        }
    }

    private String error(int result) {
        return function("nvrtcGetErrorString").invokeString(new Object[] {result}, false);
    }

    private static StringArray strings(String[] strings) {
        return new StringArray(strings, "UTF-8");
    }

    private static Memory zeroTerminated(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Memory memory = new Memory(bytes.length + 1L);
        memory.write(0, bytes, 0, bytes.length);
        memory.setByte(bytes.length, (byte) 0);
        return memory;
    }
}
