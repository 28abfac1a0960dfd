#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times PyTorch on a GPU where GpuRunner timed dl4j-quant: the same networks in half precision.

    python3 peers.py FOLDER [--seconds 420]

FOLDER gets peers.tsv, whose lines are those of figures.tsv, and peers.log. The networks are the
ones of GpuModel, with random weights, batch normalizations folded into the convolutions, in
channels_last; they run as replays of a CUDA graph, and compiled by torch.compile(max-autotune).
What is slow to compile comes late, each task in a process of its own, which is stopped when the
seconds are over; what was left out is said.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time

HEAD = "who\twhat\tbatch\tms\tp10\tp90\trate\tunit"
ROW = "ROW\t"
IMAGES = ("resnet50", "resnet18", "mobilenetv2")
DENSE = "dense8x4096"
SIDE = 224
GEMM = 8192
COPIED_BYTES = 512 << 20

# A child needs this long before it measures anything.
STARTING_SECONDS = 15

WARM_UP_SECONDS = 0.1
SAMPLES = 50
ROUND = 4


# What is measured, the important and cheap first: kind, models, types, batches, most seconds.
TASKS = (
    ("ceilings", "", "", "", 60),
    ("graph", "resnet50", "fp16,bf16", "256,1", 90),
    ("compile", "resnet50", "fp16", "256", 150),
    ("compile", "resnet50", "fp16", "1", 100),
    ("graph", "resnet50", "fp16,bf16", "8,32,128", 90),
    ("graph", "resnet18,mobilenetv2", "fp16,bf16", "256,1,8,32,128", 120),
    ("graph", DENSE, "fp16,bf16", "1,8,32,256,2048", 60),
    ("compile", "resnet50", "bf16", "256", 150),
    ("compile", "mobilenetv2", "fp16", "256", 150),
    ("compile", "resnet18", "fp16", "256", 150),
    ("compile", "resnet50", "bf16", "1", 100),
    ("compile", "resnet50", "fp16", "32", 100),
    ("compile", "resnet50", "fp16", "8", 100),
    ("compile", "resnet50", "fp16", "128", 100),
)


# ---- The parent: starts tasks, collects their lines, keeps to the time. It never loads PyTorch.


def run_all(folder, seconds):
    """Runs the tasks that fit into the seconds; returns what was left out."""
    deadline = time.monotonic() + seconds
    left_out = []
    with open(os.path.join(folder, "peers.tsv"), "w") as table, open(
        os.path.join(folder, "peers.log"), "w"
    ) as log:
        table.write(HEAD + "\n")
        for kind, models, types, batches, most in TASKS:
            name = " ".join(part for part in (kind, models, types, batches) if part)
            left = deadline - time.monotonic()
            if left < STARTING_SECONDS:
                left_out.append(name)
                continue
            command = [sys.executable, os.path.abspath(__file__), "--task", kind]
            command += ["--models", models, "--types", types, "--batches", batches]
            if not run_task(name, command, min(left, most), table, log):
                left_out.append(name + " (not all of it)")
    return left_out


def run_task(name, command, seconds, table, log):
    """Runs one task, line by line; returns whether it came to its end."""
    log.write("==== %s\n" % name)
    log.flush()
    begin = time.monotonic()
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
    )
    # Helpers of a compiler may hold the pipe open for longer than the child lives.
    reader = threading.Thread(target=collect, args=(child.stdout, table), daemon=True)
    reader.start()
    stopped = False
    try:
        result = child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        stopped = True
        os.killpg(child.pid, signal.SIGKILL)
        result = child.wait()
    reader.join(timeout=5)
    took = time.monotonic() - begin
    if stopped:
        print("%s: stopped after %.0f s" % (name, took))
    elif result != 0:
        print("%s: failed with %d after %.0f s; peers.log says more" % (name, result, took))
    else:
        print("%s: %.0f s" % (name, took))
    sys.stdout.flush()
    return result == 0


def collect(lines, table):
    """Puts figures into the table, and prints what else is said."""
    for line in lines:
        if line.startswith(ROW):
            table.write(line[len(ROW) :])
            table.flush()
        else:
            print("  " + line.rstrip(), flush=True)


# ---- The children: each measures one task. Only they load PyTorch.


def row(who, what, batch, times, amount, unit):
    """Prints a figure: times in milliseconds, and how much of the unit one run is."""
    times = sorted(times)
    last = len(times) - 1
    median = times[len(times) // 2]
    low, high = times[round(0.1 * last)], times[round(0.9 * last)]
    rate = amount / (median / 1000)
    print(
        "%s%s\t%s\t%d\t%.4f\t%.4f\t%.4f\t%.2f\t%s"
        % (ROW, who, what, batch, median, low, high, rate, unit),
        flush=True,
    )


def tried(name, work):
    """Does some work; an error is printed, and nothing more."""
    try:
        work()
    except Exception as e:  # whatever it is, the other figures are still wanted
        print("%s: %s: %s" % (name, type(e).__name__, str(e).split("\n")[0]), flush=True)


def rounds(torch, run):
    """Returns milliseconds of one run, by events around a few of them, as GpuRunner does."""
    warm_up(torch, run)
    start = torch.cuda.Event(enable_timing=True)
    end = torch.cuda.Event(enable_timing=True)
    times = []
    for _ in range(SAMPLES):
        start.record()
        for _ in range(ROUND):
            run()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / ROUND)
    return times


def waits(torch, run):
    """Returns milliseconds by the host's clock from the call until it is done."""
    warm_up(torch, run)
    times = []
    for _ in range(SAMPLES):
        begin = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append(1000 * (time.perf_counter() - begin))
    return times


def warm_up(torch, run):
    begin = time.perf_counter()
    while True:
        run()
        torch.cuda.synchronize()
        if time.perf_counter() - begin >= WARM_UP_SECONDS:
            return


def ceilings(torch):
    """What the memory and the Tensor Cores give to PyTorch's own kernels."""
    size = "%dx%dx%d" % (GEMM, GEMM, GEMM)
    tera = 2 * GEMM**3 / 1e12

    def matrix(dtype):
        return torch.randn(GEMM, GEMM, device="cuda").to(dtype)

    def codes():
        return torch.randint(-127, 128, (GEMM, GEMM), device="cuda", dtype=torch.int8)

    def report(who, run):
        row(who, "gemm8192 product", GEMM, rounds(torch, run), tera, "TOPS")

    def copy():
        source = torch.randint(0, 256, (COPIED_BYTES,), device="cuda", dtype=torch.uint8)
        target = torch.empty_like(source)
        moved = 2 * COPIED_BYTES / 1e9
        row("PyTorch", "copy", 1, rounds(torch, lambda: target.copy_(source)), moved, "GB/s")

    def half(dtype, who):
        a, b = matrix(dtype), matrix(dtype)
        out = torch.empty_like(a)
        report(who, lambda: torch.mm(a, b, out=out))

    def int8():
        a, b = codes(), codes()
        report("PyTorch int8 _int_mm", lambda: torch._int_mm(a, b.t()))

    def fp8():
        a, b = matrix(torch.float8_e4m3fn), matrix(torch.float8_e4m3fn)
        one = torch.ones((), device="cuda", dtype=torch.float32)
        report(
            "PyTorch fp8 _scaled_mm",
            lambda: torch._scaled_mm(
                a, b.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16, use_fast_accum=True
            ),
        )

    tried("copy", copy)
    tried("bf16 " + size, lambda: half(torch.bfloat16, "PyTorch bf16"))
    tried("int8 " + size, int8)
    tried("fp8 " + size, fp8)
    tried("fp16 " + size, lambda: half(torch.float16, "PyTorch fp16"))


def networks(torch):
    """Returns the networks by name: functions that make them, and the shape of what they see."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    nn = torch.nn

    class Unit(nn.Module):
        """A convolution, a batch normalization and an activation."""

        def __init__(self, inputs, outputs, kernel, stride=1, groups=1, activation=None):
            super().__init__()
            self.convolution = nn.Conv2d(
                inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False
            )
            # The statistics of the last batch that was seen in training.
            self.norm = nn.BatchNorm2d(outputs, momentum=1.0)
            self.activation = activation or nn.Identity()

        def forward(self, x):
            return self.activation(self.norm(self.convolution(x)))

        def fold(self):
            self.convolution = fuse_conv_bn_eval(self.convolution, self.norm)
            self.norm = nn.Identity()

    class Residual(nn.Module):
        """The sum of a branch and a shortcut, with an activation."""

        def __init__(self, branch, shortcut, activation):
            super().__init__()
            self.branch, self.shortcut, self.activation = branch, shortcut, activation

        def forward(self, x):
            return self.activation(self.branch(x) + self.shortcut(x))

    def relu():
        return nn.ReLU(inplace=True)

    def relu6():
        return nn.ReLU6(inplace=True)

    def bottleneck(inputs, width, stride, project):
        branch = nn.Sequential(
            Unit(inputs, width, 1, activation=relu()),
            Unit(width, width, 3, stride, activation=relu()),
            Unit(width, 4 * width, 1),
        )
        shortcut = Unit(inputs, 4 * width, 1, stride) if project else nn.Identity()
        return Residual(branch, shortcut, relu())

    def basic(inputs, channels, stride):
        branch = nn.Sequential(
            Unit(inputs, channels, 3, stride, activation=relu()),
            Unit(channels, channels, 3),
        )
        shortcut = Unit(inputs, channels, 1, stride) if stride > 1 else nn.Identity()
        return Residual(branch, shortcut, relu())

    def inverted(inputs, expansion, outputs, stride):
        wide = inputs * expansion
        units = [Unit(inputs, wide, 1, activation=relu6())] if expansion > 1 else []
        units.append(Unit(wide, wide, 3, stride, groups=wide, activation=relu6()))
        units.append(Unit(wide, outputs, 1))
        branch = nn.Sequential(*units)
        same = stride == 1 and inputs == outputs
        return Residual(branch, nn.Identity(), nn.Identity()) if same else branch

    def classifier(channels):
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000)]

    def stem():
        return [Unit(3, 64, 7, 2, activation=relu()), nn.MaxPool2d(3, 2, 1)]

    def resnet50():
        layers, inputs = stem(), 64
        for stage, blocks in enumerate((3, 4, 6, 3)):
            for block in range(blocks):
                stride = 2 if block == 0 and stage > 0 else 1
                layers.append(bottleneck(inputs, 64 << stage, stride, block == 0))
                inputs = 4 * (64 << stage)
        return nn.Sequential(*layers, *classifier(inputs))

    def resnet18():
        layers, inputs = stem(), 64
        for stage in range(4):
            for block in range(2):
                stride = 2 if block == 0 and stage > 0 else 1
                layers.append(basic(inputs, 64 << stage, stride))
                inputs = 64 << stage
        return nn.Sequential(*layers, *classifier(inputs))

    def mobilenetv2():
        layers = [Unit(3, 32, 3, 2, activation=relu6()), inverted(32, 1, 16, 1)]
        inputs = 16
        stages = ((24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
        for outputs, blocks, first in stages:
            for block in range(blocks):
                layers.append(inverted(inputs, 6, outputs, first if block == 0 else 1))
                inputs = outputs
        layers.append(Unit(inputs, 1280, 1, activation=relu6()))
        return nn.Sequential(*layers, *classifier(1280))

    def dense():
        layers = []
        for _ in range(8):
            layers += [nn.Linear(4096, 4096), relu()]
        return nn.Sequential(*layers, nn.Linear(4096, 10))

    def fold(network):
        for unit in list(network.modules()):
            if isinstance(unit, Unit):
                unit.fold()

    images = (3, SIDE, SIDE)
    made = {
        "resnet50": (resnet50, images),
        "resnet18": (resnet18, images),
        "mobilenetv2": (mobilenetv2, images),
        DENSE: (dense, (4096,)),
    }
    return made, fold


def network(torch, name, dtype):
    """Returns a network with random weights and sane activations, and the shape that it sees."""
    torch.manual_seed(1)
    made, fold = networks(torch)
    make, shape = made[name]
    model = make().cuda().train()
    with torch.no_grad():
        model(torch.randn(8, *shape, device="cuda"))
    model.eval()
    with torch.no_grad():
        fold(model)
    return model.to(dtype).to(memory_format=torch.channels_last), shape


def images(torch, batch, shape, dtype):
    values = torch.randn(batch, *shape, device="cuda").to(dtype)
    return values.to(memory_format=torch.channels_last) if len(shape) == 3 else values


def graphed(torch, model, x):
    """Returns a replay of the model on x."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            model(x)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        model(x)
    return graph.replay


def compiled(torch, model, x):
    """Returns a run of the model, compiled; its first runs compile and record."""
    fast = torch.compile(model, mode="max-autotune", dynamic=False)

    def run():
        torch.compiler.cudagraph_mark_step_begin()
        fast(x)

    for _ in range(3):
        run()
    torch.cuda.synchronize()
    return run


def measure(torch, kind, models, types, batches):
    """Measures networks in half precision."""
    way = {"graph": graphed, "compile": compiled}[kind]
    suffix = {"graph": "CUDA graph", "compile": "max-autotune"}[kind]
    for name in models:
        for short in types:
            dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}[short]
            who = "PyTorch %s %s" % (short, suffix)

            def one(model, shape, batch):
                x = images(torch, batch, shape, dtype)
                run = way(torch, model, x)
                row(who, name, batch, rounds(torch, run), batch, "examples/s")
                alone = waits(torch, run)
                row(who + ", one at a time", name, batch, alone, batch, "examples/s")

            def every():
                model, shape = network(torch, name, dtype)
                for batch in batches:
                    tried("%s %s %d" % (who, name, batch), lambda: one(model, shape, batch))
                    torch.cuda.empty_cache()

            tried("%s %s" % (who, name), every)


def child(kind, models, types, batches):
    import torch

    torch.backends.cudnn.benchmark = True
    with torch.no_grad():
        if kind == "ceilings":
            print(
                "PyTorch %s, CUDA %s, cuDNN %s, %s"
                % (
                    torch.__version__,
                    torch.version.cuda,
                    torch.backends.cudnn.version(),
                    torch.cuda.get_device_name(0),
                ),
                flush=True,
            )
            ceilings(torch)
        else:
            measure(torch, kind, models, types, batches)


def listed(text):
    return [part for part in text.split(",") if part]


def main():
    parser = argparse.ArgumentParser(description="Times PyTorch where GpuRunner timed dl4j-quant.")
    parser.add_argument("folder", nargs="?", help="gets peers.tsv and peers.log")
    parser.add_argument("--seconds", type=float, default=420, help="stop after these (420)")
    parser.add_argument("--task", choices=("ceilings", "graph", "compile"), help="in this process")
    parser.add_argument("--models", type=listed, default=[])
    parser.add_argument("--types", type=listed, default=[])
    parser.add_argument("--batches", type=listed, default=[])
    options = parser.parse_args()
    if options.task:
        batches = [int(batch) for batch in options.batches]
        child(options.task, options.models, options.types, batches)
    elif not options.folder:
        parser.error("a folder is needed")
    else:
        os.makedirs(options.folder, exist_ok=True)
        left_out = run_all(options.folder, options.seconds)
        if left_out:
            print("left out for want of time, or failed: " + "; ".join(left_out))


if __name__ == "__main__":
    main()
