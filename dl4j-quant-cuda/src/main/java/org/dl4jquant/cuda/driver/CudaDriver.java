// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import java.nio.ByteBuffer;
import org.dl4jquant.check.Require;

/**
 * The functions of the CUDA driver that an engine needs.
 *
 * <p>Handles and addresses are {@code long}; 0 is none, and as a stream the default one. What
 * belongs to a context wants that context to be current in the calling thread. Each method throws a
 * {@link CudaException} where the driver reports an error; an error of work that was queued before
 * may be reported by any later call. All methods may be called from several threads.
 */
public interface CudaDriver {

    /** Starts the driver; does nothing if it runs. */
    void init();

    /**
     * {@return the newest CUDA that the driver knows: 1000 times the major number plus 10 times the
     * minor}
     */
    int version();

    /** {@return how many GPUs there are; they are numbered from 0} */
    int deviceCount();

    /**
     * {@return the GPU's name, such as {@code NVIDIA H200}}
     *
     * @param device its number
     */
    String deviceName(int device);

    /**
     * {@return a number that describes a GPU}
     *
     * @param device its number
     * @param attribute which number
     */
    int attribute(int device, DeviceAttribute attribute);

    /**
     * {@return the bytes of memory that a GPU has}
     *
     * @param device its number
     */
    long memoryBytes(int device);

    /**
     * Takes hold of the context that all libraries of a process share on a GPU.
     *
     * @param device the GPU's number
     * @return the context; {@link #releasePrimaryContext} gives it back, once for each call
     */
    long retainPrimaryContext(int device);

    /**
     * Gives back what {@link #retainPrimaryContext} took.
     *
     * @param device the GPU's number
     */
    void releasePrimaryContext(int device);

    /**
     * Makes a context the calling thread's own; threads of a pool must do so at every entry.
     *
     * @param context the context
     */
    void setCurrent(long context);

    /** Waits for all work of the current context. */
    void synchronize();

    /** {@return the bytes of device memory that are free for the current context} */
    long freeBytes();

    /**
     * {@return the address of new device memory, a multiple of 256; what it holds is undefined}
     *
     * @param bytes its size, above 0
     */
    long allocate(long bytes);

    /**
     * Gives device memory back, after all work that was queued before.
     *
     * @param address what {@link #allocate} returned
     */
    void free(long address);

    /**
     * {@return the address of new host memory that is never paged out, so that copies need not
     * wait}
     *
     * @param bytes its size, above 0
     */
    long allocateHost(long bytes);

    /**
     * Gives host memory back.
     *
     * @param address what {@link #allocateHost} returned
     */
    void freeHost(long address);

    /**
     * Queues a copy from host memory to device memory.
     *
     * @param device where to
     * @param host where from; must stay as it is until the copy is done
     * @param bytes how many
     * @param stream the queue
     */
    void copyToDevice(long device, long host, long bytes, long stream);

    /**
     * Queues a copy from device memory to host memory.
     *
     * @param host where to; must stay valid until the copy is done
     * @param device where from
     * @param bytes how many
     * @param stream the queue
     */
    void copyToHost(long host, long device, long bytes, long stream);

    /**
     * Queues a copy of a buffer's remaining bytes to device memory. The buffer does not change.
     *
     * @param device where to
     * @param host a direct buffer, which must stay reachable until the copy is done
     * @param stream the queue
     * @throws IllegalArgumentException if the buffer is not direct
     */
    default void copyToDevice(long device, ByteBuffer host, long stream) {
        copyToDevice(device, HostMemory.address(host), host.remaining(), stream);
    }

    /**
     * Queues a copy from device memory that fills a buffer's remaining bytes; its position stays.
     *
     * @param host a direct buffer, which must stay reachable until the copy is done
     * @param device where from
     * @param stream the queue
     * @throws IllegalArgumentException if the buffer is not direct, or may only be read
     */
    default void copyToHost(ByteBuffer host, long device, long stream) {
        Require.argument(!host.isReadOnly(), "the buffer to copy to may only be read");
        copyToHost(HostMemory.address(host), device, host.remaining(), stream);
    }

    /**
     * Queues a copy from device memory to device memory; the two must not overlap.
     *
     * @param to where to
     * @param from where from
     * @param bytes how many
     * @param stream the queue
     */
    void copyOnDevice(long to, long from, long bytes, long stream);

    /**
     * Queues that device memory is filled with one byte.
     *
     * @param device where
     * @param value the byte
     * @param bytes how many
     * @param stream the queue
     */
    void fill(long device, byte value, long bytes, long stream);

    /**
     * {@return a module: machine code, loaded into the current context}
     *
     * @param image a cubin, a fat binary, or PTX with a zero byte at its end
     */
    long loadModule(byte[] image);

    /**
     * Unloads a module.
     *
     * @param module what {@link #loadModule} returned
     */
    void unloadModule(long module);

    /**
     * {@return a kernel}
     *
     * @param module the module that has it
     * @param name its name, as in the machine code
     */
    long function(long module, String name);

    /**
     * Allows launches of a kernel with more than 48 KiB of dynamic shared memory.
     *
     * @param function the kernel
     * @param bytes the most that it will be launched with
     */
    void setDynamicSharedMemory(long function, int bytes);

    /**
     * Queues a kernel's run.
     *
     * @param function the kernel
     * @param gridX blocks along the grid's first dimension
     * @param gridY blocks along its second
     * @param threads threads of a block
     * @param sharedBytes dynamic shared memory of a block
     * @param stream the queue
     * @param arguments the kernel's arguments, each of 64 bits, all that it declares; copied
     */
    void launch(
            long function,
            int gridX,
            int gridY,
            int threads,
            int sharedBytes,
            long stream,
            long[] arguments);

    /**
     * Queues a kernel's run, which may begin while the kernel before it in the stream ends. It must
     * wait for that one itself, as all kernels of this module do, see {@code await_previous} of
     * {@code device.cuh}; GPUs before sm_90 cannot overlap them.
     *
     * @param function the kernel
     * @param gridX blocks along the grid's first dimension
     * @param gridY blocks along its second
     * @param threads threads of a block
     * @param sharedBytes dynamic shared memory of a block
     * @param stream the queue
     * @param arguments the kernel's arguments, each of 64 bits, all that it declares; copied
     */
    void launchOverlapping(
            long function,
            int gridX,
            int gridY,
            int threads,
            int sharedBytes,
            long stream,
            long[] arguments);

    /** {@return a new stream: a queue that does not wait for the default one} */
    long createStream();

    /**
     * Destroys a stream; what is queued is still done.
     *
     * @param stream the stream
     */
    void destroyStream(long stream);

    /**
     * Waits for all work of a stream.
     *
     * @param stream the stream
     */
    void synchronizeStream(long stream);

    /**
     * Begins to record what the calling thread queues on a stream, instead of doing it.
     *
     * @param stream the stream, not the default one
     */
    void beginCapture(long stream);

    /**
     * Ends a recording.
     *
     * @param stream the stream
     * @return what was recorded, ready to be launched as one; {@link #destroyGraph} gives it back
     */
    long endCapture(long stream);

    /**
     * Queues a run of all that was recorded.
     *
     * @param graph what {@link #endCapture} returned
     * @param stream the queue
     */
    void launchGraph(long graph, long stream);

    /**
     * Destroys a recording.
     *
     * @param graph what {@link #endCapture} returned
     */
    void destroyGraph(long graph);

    /** {@return a new event: a mark in a stream, with its time} */
    long createEvent();

    /**
     * Destroys an event.
     *
     * @param event the event
     */
    void destroyEvent(long event);

    /**
     * Queues an event.
     *
     * @param event the event
     * @param stream the queue
     */
    void recordEvent(long event, long stream);

    /**
     * Waits until an event was reached.
     *
     * @param event the event
     */
    void synchronizeEvent(long event);

    /**
     * {@return milliseconds between two events that were reached}
     *
     * @param start the earlier
     * @param end the later
     */
    float elapsedMillis(long start, long end);
}
