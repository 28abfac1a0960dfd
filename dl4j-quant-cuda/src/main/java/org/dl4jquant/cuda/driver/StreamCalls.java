// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import static org.dl4jquant.cuda.driver.CudaResult.check;

/**
 * The driver's calls about the order and the time of work: streams, recorded graphs of launches,
 * and events. They need no more than the symbols that {@link LibCuda} binds.
 */
abstract sealed class StreamCalls implements CudaDriver permits LibCuda {

    private static final int NON_BLOCKING = 1;
    private static final int CAPTURE_THREAD_LOCAL = 1;

    @Override
    public long createStream() {
        long[] stream = new long[1];
        check(CudaSymbols.cuStreamCreate(stream, NON_BLOCKING), "cuStreamCreate");
        return stream[0];
    }

    @Override
    public void destroyStream(long stream) {
        check(CudaSymbols.cuStreamDestroy_v2(stream), "cuStreamDestroy");
    }

    @Override
    public void synchronizeStream(long stream) {
        check(CudaSymbols.cuStreamSynchronize(stream), "cuStreamSynchronize");
    }

    @Override
    public void beginCapture(long stream) {
        check(
                CudaSymbols.cuStreamBeginCapture_v2(stream, CAPTURE_THREAD_LOCAL),
                "cuStreamBeginCapture");
    }

    @Override
    public long endCapture(long stream) {
        long[] graph = new long[1];
        check(CudaSymbols.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
        long[] executable = new long[1];
        int instantiated = CudaSymbols.cuGraphInstantiateWithFlags(executable, graph[0], 0);
        // The recording is a copy of its own now, or there is none.
        int destroyed = CudaSymbols.cuGraphDestroy(graph[0]);
        check(instantiated, "cuGraphInstantiateWithFlags");
        check(destroyed, "cuGraphDestroy");
        return executable[0];
    }

    @Override
    public void launchGraph(long graph, long stream) {
        check(CudaSymbols.cuGraphLaunch(graph, stream), "cuGraphLaunch");
    }

    @Override
    public void destroyGraph(long graph) {
        check(CudaSymbols.cuGraphExecDestroy(graph), "cuGraphExecDestroy");
    }

    @Override
    public long createEvent() {
        long[] event = new long[1];
        check(CudaSymbols.cuEventCreate(event, 0), "cuEventCreate");
        return event[0];
    }

    @Override
    public void destroyEvent(long event) {
        check(CudaSymbols.cuEventDestroy_v2(event), "cuEventDestroy");
    }

    @Override
    public void recordEvent(long event, long stream) {
        check(CudaSymbols.cuEventRecord(event, stream), "cuEventRecord");
    }

    @Override
    public void synchronizeEvent(long event) {
        check(CudaSymbols.cuEventSynchronize(event), "cuEventSynchronize");
    }

    @Override
    public float elapsedMillis(long start, long end) {
        float[] milliseconds = new float[1];
        check(CudaSymbols.cuEventElapsedTime(milliseconds, start, end), "cuEventElapsedTime");
        return milliseconds[0];
    }
}
