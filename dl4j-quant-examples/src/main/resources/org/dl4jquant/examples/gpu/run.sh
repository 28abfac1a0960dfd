#!/bin/sh
# Tries this machine's GPU with the engines beside this file, then PyTorch on the same networks, and compares.
#
#     run.sh [FOLDER FOR FIGURES, out] [SECONDS FOR PYTORCH, 420] [SECONDS FOR EACH ENGINE, 300]
#
# JAVA and PYTHON name other programs than the Java runtime beside this file, or java, and python3.
# It returns what GpuRunner does: 0 if all codes are equal, 1 if not, 2 if something is missing.
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-out}
seconds=${2:-420}
python=${PYTHON:-python3}
java=${JAVA:-java}
if [ -z "$JAVA" ] && [ -x "$here/jre/bin/java" ]; then
    java=$here/jre/bin/java
fi

# A kernel that hangs must not take the others with it: each part is a process, with a limit where there is one.
limit=
if command -v timeout > /dev/null; then
    limit="timeout ${3:-300}"
fi

part() {
    $limit "$java" -cp "$here/lib/*" org.dl4jquant.cuda.GpuRunner "$here" "$out" "$1"
}

# What the clocks are; they are left as they are.
clocks() {
    if command -v nvidia-smi > /dev/null; then
        fields=timestamp,name,driver_version,clocks.sm,clocks.mem,temperature.gpu,power.draw
        nvidia-smi --query-gpu=$fields --format=csv,noheader | tee -a "$out/summary.txt"
    fi
}

part conformance
result=$?
if [ $result -gt 1 ]; then
    exit $result
fi
clocks
# Backwards, so that ResNet-50 comes first: whoever has to stop has it.
for name in $(cd "$here" && ls | sed -n 's/\.engine$//p' | sort -r); do
    if [ "$name" != conformance ]; then
        part "$name"
        status=$?
        if [ $status -gt 1 ]; then
            echo "$name: ended with $status" | tee -a "$out/summary.txt"
        fi
        [ $status -eq 0 ] || result=1
    fi
done
clocks

if "$python" -c 'import torch; assert torch.cuda.is_available()' 2> /dev/null; then
    "$python" "$here/peers.py" "$out" --seconds "$seconds"
else
    echo "no peers: $python has no PyTorch that sees a GPU"
fi
"$java" -cp "$here/lib/*" org.dl4jquant.cuda.PeerTable "$out"
exit $result
