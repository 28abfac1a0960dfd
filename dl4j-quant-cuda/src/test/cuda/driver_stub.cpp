// SPDX-License-Identifier: Apache-2.0
//
// A CUDA driver for the tests of the bindings: writes down every call with its arguments, keeps "device" memory in
// the host's, and fails where it is told to. The signatures are those of cuda.h. Handles are numbers above 4 GiB, so
// that a binding which cuts them to 32 bits is seen.
//   g++ -shared -fPIC -o driver_stub.so driver_stub.cpp      -DWITHOUT_GRAPHS leaves one function out

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

typedef int CUresult;
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef void *Handle;

static std::string calls;
static std::string failing;
static CUresult failure;
static int driver_version = 12090;
static int launch_arguments;

static CUresult called(const char *function, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    calls += std::string(function) + "(" + text + ")\n";
    return failing == function ? failure : 0;
}

static Handle handle(int number) { return reinterpret_cast<Handle>(0x7000000000ull + number); }

extern "C" {

const char *stub_calls() { return calls.c_str(); }

void stub_reset() {
    calls.clear();
    failing.clear();
    driver_version = 12090;
    launch_arguments = 0;
}

void stub_fail(const char *function, int result) {
    failing = function;
    failure = result;
}

void stub_version(int version) { driver_version = version; }

void stub_launch_arguments(int count) { launch_arguments = count; }

CUresult cuInit(unsigned flags) { return called("cuInit", "%u", flags); }

CUresult cuDriverGetVersion(int *version) {
    *version = driver_version;
    return called("cuDriverGetVersion", "");
}

CUresult cuGetErrorName(CUresult error, const char **text) {
    *text = error == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : error == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_OTHER";
    return error == 12345 ? 1 : 0;
}

CUresult cuGetErrorString(CUresult error, const char **text) {
    *text = error == 2 ? "out of memory" : error == 100 ? "no CUDA-capable device is detected" : "something else";
    return error == 12345 ? 1 : 0;
}

CUresult cuDeviceGetCount(int *count) {
    *count = 2;
    return called("cuDeviceGetCount", "");
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    *device = 40 + ordinal;
    return called("cuDeviceGet", "%d", ordinal);
}

CUresult cuDeviceGetName(char *name, int bytes, CUdevice device) {
    snprintf(name, bytes, "Stub %d", device);
    return called("cuDeviceGetName", "%d, %d", bytes, device);
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
    *value = 1000 + attribute;
    return called("cuDeviceGetAttribute", "%d, %d", attribute, device);
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
    *bytes = 150754820096ull;
    return called("cuDeviceTotalMem_v2", "%d", device);
}

CUresult cuDevicePrimaryCtxRetain(Handle *context, CUdevice device) {
    *context = handle(1);
    return called("cuDevicePrimaryCtxRetain", "%d", device);
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) { return called("cuDevicePrimaryCtxRelease_v2", "%d", device); }

CUresult cuCtxSetCurrent(Handle context) { return called("cuCtxSetCurrent", "%p", context); }

CUresult cuCtxSynchronize() { return called("cuCtxSynchronize", ""); }

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
    *free = 5000000000ull;
    *total = 6000000000ull;
    return called("cuMemGetInfo_v2", "");
}

CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
    CUresult result = called("cuMemAlloc_v2", "%zu", bytes);
    *address = result == 0 ? (CUdeviceptr)malloc(bytes) : 0;
    return result;
}

CUresult cuMemFree_v2(CUdeviceptr address) {
    free((void *)address);
    return called("cuMemFree_v2", "%s", address ? "address" : "0");
}

CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
    CUresult result = called("cuMemHostAlloc", "%zu, %u", bytes, flags);
    *address = result == 0 ? malloc(bytes) : nullptr;
    return result;
}

CUresult cuMemFreeHost(void *address) {
    free(address);
    return called("cuMemFreeHost", "%s", address ? "address" : "0");
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr device, const void *host, size_t bytes, Handle stream) {
    memcpy((void *)device, host, bytes);
    return called("cuMemcpyHtoDAsync_v2", "%zu, %p", bytes, stream);
}

CUresult cuMemcpyDtoHAsync_v2(void *host, CUdeviceptr device, size_t bytes, Handle stream) {
    memcpy(host, (void *)device, bytes);
    return called("cuMemcpyDtoHAsync_v2", "%zu, %p", bytes, stream);
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, Handle stream) {
    memcpy((void *)to, (const void *)from, bytes);
    return called("cuMemcpyDtoDAsync_v2", "%zu, %p", bytes, stream);
}

CUresult cuMemsetD8Async(CUdeviceptr device, unsigned char value, size_t bytes, Handle stream) {
    memset((void *)device, value, bytes);
    return called("cuMemsetD8Async", "%d, %zu, %p", value, bytes, stream);
}

CUresult cuModuleLoadData(Handle *module, const void *image) {
    *module = handle(2);
    return called("cuModuleLoadData", "%s", (const char *)image);
}

CUresult cuModuleUnload(Handle module) { return called("cuModuleUnload", "%p", module); }

CUresult cuModuleGetFunction(Handle *function, Handle module, const char *name) {
    *function = handle(3);
    return called("cuModuleGetFunction", "%p, %s", module, name);
}

CUresult cuFuncSetAttribute(Handle function, int attribute, int value) {
    return called("cuFuncSetAttribute", "%p, %d, %d", function, attribute, value);
}

CUresult cuLaunchKernel(Handle function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                        unsigned blockY, unsigned blockZ, unsigned sharedBytes, Handle stream, void **arguments,
                        void **extra) {
    std::string values;
    for (int i = 0; i < launch_arguments; i++) {
        values += " " + std::to_string(*(long long *)arguments[i]);
    }
    return called("cuLaunchKernel", "%p, %u %u %u, %u %u %u, %u, %p, [%s ], %p", function, gridX, gridY, gridZ, blockX,
                  blockY, blockZ, sharedBytes, stream, values.c_str(), extra);
}

// As cuda.h lays them out.
struct Attribute {
    int id;
    char padding[4];
    union {
        char bytes[64];
        int flag;
    } value;
};
struct Configuration {
    unsigned gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes;
    Handle stream;
    Attribute *attributes;
    unsigned attributeCount;
};
static_assert(sizeof(Attribute) == 72 && sizeof(Configuration) == 56, "the sizes in CUDA 12 and 13");

CUresult cuLaunchKernelEx(const Configuration *with, Handle function, void **arguments, void **extra) {
    std::string values;
    for (int i = 0; i < launch_arguments; i++) {
        values += " " + std::to_string(*(long long *)arguments[i]);
    }
    std::string attributes;
    for (unsigned i = 0; i < with->attributeCount; i++) {
        attributes += " " + std::to_string(with->attributes[i].id) + "=" + std::to_string(with->attributes[i].value.flag);
    }
    return called("cuLaunchKernelEx", "{%u %u %u, %u %u %u, %u, %p,%s}, %p, [%s ], %p", with->gridX, with->gridY, with->gridZ,
                  with->blockX, with->blockY, with->blockZ, with->sharedBytes, with->stream, attributes.c_str(), function,
                  values.c_str(), extra);
}

CUresult cuStreamCreate(Handle *stream, unsigned flags) {
    *stream = handle(4);
    return called("cuStreamCreate", "%u", flags);
}

CUresult cuStreamDestroy_v2(Handle stream) { return called("cuStreamDestroy_v2", "%p", stream); }

CUresult cuStreamSynchronize(Handle stream) { return called("cuStreamSynchronize", "%p", stream); }

CUresult cuStreamBeginCapture_v2(Handle stream, int mode) {
    return called("cuStreamBeginCapture_v2", "%p, %d", stream, mode);
}

CUresult cuStreamEndCapture(Handle stream, Handle *graph) {
    *graph = handle(5);
    return called("cuStreamEndCapture", "%p", stream);
}

#ifndef WITHOUT_GRAPHS
CUresult cuGraphInstantiateWithFlags(Handle *executable, Handle graph, unsigned long long flags) {
    *executable = handle(6);
    return called("cuGraphInstantiateWithFlags", "%p, %llu", graph, flags);
}
#endif

CUresult cuGraphDestroy(Handle graph) { return called("cuGraphDestroy", "%p", graph); }

CUresult cuGraphLaunch(Handle executable, Handle stream) { return called("cuGraphLaunch", "%p, %p", executable, stream); }

CUresult cuGraphExecDestroy(Handle executable) { return called("cuGraphExecDestroy", "%p", executable); }

CUresult cuEventCreate(Handle *event, unsigned flags) {
    *event = handle(7);
    return called("cuEventCreate", "%u", flags);
}

CUresult cuEventDestroy_v2(Handle event) { return called("cuEventDestroy_v2", "%p", event); }

CUresult cuEventRecord(Handle event, Handle stream) { return called("cuEventRecord", "%p, %p", event, stream); }

CUresult cuEventSynchronize(Handle event) { return called("cuEventSynchronize", "%p", event); }

CUresult cuEventElapsedTime(float *milliseconds, Handle start, Handle end) {
    *milliseconds = 1.5f;
    return called("cuEventElapsedTime", "%p, %p", start, end);
}
}
