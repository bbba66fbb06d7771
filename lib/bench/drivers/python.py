"""perfkit's driver for Python: measures the functions bench_* of one file.

It is given to python3 with -c, gets a job on standard input and replies on descriptor 3; see
docs/driver-protocol.md. Measures as timeit does: a for loop over itertools.repeat, the
garbage collector off. Python 3.7 or newer.
"""
import gc
import os
import sys
import time
import types
from itertools import repeat

clock = time.perf_counter_ns
REPLY = 3


class Refusal(Exception):
    """What cannot be measured, in one line for the person who asked."""


def read_job():
    job = {}
    for line in sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\n"):
        key, _, text = line.partition(" ")
        text = text.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
        job[key] = text
    return job


def reply(lines):
    text = "".join(line.replace("\\", "\\\\").replace("\n", "\\n") + "\n" for line in lines)
    data = text.encode("utf-8", "surrogateescape")
    while data:
        data = data[os.write(REPLY, data):]


# ---- what the file offers ----


def load(job):
    """The module, from its source: the file may lie in a store, under another name."""
    path = job["file"]
    shown = os.path.join(job.get("folder", ""), job.get("group", "module") + ".py")
    if not os.path.exists(shown):
        shown = path
    if "folder" in job:
        sys.path[0] = os.path.abspath(job["folder"])
    module = types.ModuleType(os.path.splitext(os.path.basename(shown))[0])
    module.__file__ = os.path.abspath(shown)
    sys.modules[module.__name__] = module
    with open(path, "rb") as file:
        exec(compile(file.read(), shown, "exec"), module.__dict__)
    return module


def is_coroutine(function):
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    return bool(flags & (0x20 | 0x80 | 0x200))  # generator, coroutine, asynchronous generator


class Benchmark:
    """One bench_* function and what stands in its attributes:

    name      instead of what follows bench_
    params    a list of values; the function is called with one of them
    setup     called once per process, with the value if there are params; the function is called
              with what it returns
    teardown  called at the end, with what setup returned
    bytes, elements   processed by one call
    """

    def __init__(self, name, function):
        if is_coroutine(function):
            raise Refusal(f"{name} is a generator or a coroutine: calling it does no work; "
                          "run it to its end in a plain function")
        self.function = function
        self.name = str(getattr(function, "name", name[len("bench_"):]))
        self.params = [(self.text_of(name, value), value)
                       for value in getattr(function, "params", ())]
        if not self.name:
            raise Refusal(f"{name} needs a name behind bench_")

    @staticmethod
    def text_of(name, value):
        text = str(value)
        if not text or any(c in text for c in ",:\n"):
            raise Refusal(f"{name}.params: a value that is written {text!r} cannot be named on the "
                          "command line; give numbers or words, and make the rest in setup")
        return text

    def offer(self, group):
        lines = ["offer", f"group {group}", f"function {self.name}"]
        if self.params:
            lines.append("params " + ",".join(text for text, _ in self.params))
        return lines

    def throughput(self):
        for unit in ("bytes", "elements"):
            count = getattr(self.function, unit, None)
            if count is not None:
                return ["throughput 1", f"throughput.bytes {int(unit == 'bytes')}",
                        f"throughput.per-iteration {int(count)}"]
        return []

    def argument(self, text):
        """The value that --param or the list names; a number where it reads as one."""
        for known, value in self.params:
            if known == text:
                return value
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                pass
        return text


def benchmarks_of(module):
    return [Benchmark(name, value) for name, value in vars(module).items()
            if name.startswith("bench_") and callable(value)]


def find(job, module):
    for benchmark in benchmarks_of(module):
        if benchmark.name == job.get("function"):
            return benchmark
    raise Refusal(f"there is no {job.get('function')} in it any more")


# ---- measuring ----


def time_plain(times, function):
    start = clock()
    for _ in times:
        function()
    return clock() - start


def time_with(times, function, argument):
    start = clock()
    for _ in times:
        function(argument)
    return clock() - start


def time_loop(times):
    start = clock()
    for _ in times:
        pass
    return clock() - start


class Body:
    """The function with its argument, made ready; run(n) calls it n times."""

    def __init__(self, benchmark, param):
        function = benchmark.function
        args = [] if param is None else [benchmark.argument(param)]
        setup = getattr(function, "setup", None)
        if setup:
            args = [setup(*args)]
        self.function, self.args = function, args
        self.timer = time_with if args else time_plain

    def run(self, n):
        return self.timer(repeat(None, n), self.function, *self.args)

    def close(self):
        teardown = getattr(self.function, "teardown", None)
        if teardown:
            teardown(*self.args)


def open_schedstat():
    try:
        return os.open("/proc/thread-self/schedstat", os.O_RDONLY)
    except OSError:
        return -1


def waited(schedstat):
    """Nanoseconds that this thread was ready to run and had no CPU."""
    return int(os.pread(schedstat, 64, 0).split()[1])


def unit(body, n, schedstat):
    """Wall, CPU and waiting time of n calls; the clocks are nested, the wall clock innermost."""
    os.sched_yield()
    cpu = time.thread_time_ns()
    wait = waited(schedstat) if schedstat >= 0 else 0
    wall = body.run(n)
    wait = waited(schedstat) - wait if schedstat >= 0 else 0
    cpu = time.thread_time_ns() - cpu
    return wall, cpu, wait


def calibrate(run, unit_ns):
    """How many calls take unit_ns."""
    n = 1
    while True:
        took = run(n)
        if took >= unit_ns / 2:
            if took < 100_000_000:
                took = min(took, run(n), run(n))
            if took >= unit_ns / 2:
                return max(1, round(n * unit_ns / took))
        n *= 2


def measure_loop(unit_ns):
    """The for loop alone, per call: the median of some units."""
    def run(n):
        return time_loop(repeat(None, n))
    n = calibrate(run, unit_ns)
    return sorted(run(n) for _ in range(9))[4] / n


def measure(job, benchmark, body):
    unit_ns, worker_ns = int(job["unit-ns"]), int(job["worker-ns"])
    schedstat = open_schedstat()
    loop_ns = measure_loop(unit_ns / 2)
    warm_until = clock() + int(job["warm-ns"])
    n = calibrate(body.run, unit_ns)
    while clock() < warm_until:
        unit(body, n, schedstat)
    units = []
    end = clock() + worker_ns
    while not units or clock() < end:
        units.append(unit(body, n, schedstat))
    if schedstat < 0:
        units = [u[:2] for u in units]
    return (benchmark.throughput() + [f"loop {loop_ns:.4f}", f"iterations {n}"] +
            ["unit " + " ".join(map(str, u)) for u in units])


def run_for(body, ns):
    end, n = clock() + ns, 1
    while clock() < end:
        if body.run(n) < 10_000_000:
            n *= 2


# ---- the four tasks ----


def do(job):
    if "file" not in job:
        raise Refusal("a job without a file")
    module = load(job)
    if job["task"] == "list":
        group = str(getattr(module, "GROUP", job["group"]))
        lines = [f"program {sys.executable}"] if sys.executable else []
        for benchmark in benchmarks_of(module):
            lines += benchmark.offer(group)
        return lines
    benchmark = find(job, module)
    gc.collect()
    gc.disable()
    body = Body(benchmark, job.get("param"))
    try:
        if job["task"] == "measure":
            return measure(job, benchmark, body)
        if job["task"] == "once":
            body.run(1)
        else:
            run_for(body, int(job["worker-ns"]))
        return benchmark.throughput()
    finally:
        body.close()


def one_line(error):
    """The error and where in the person's file it arose."""
    import traceback
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename != "<string>":
            place = f" ({os.path.basename(frame.filename)}:{frame.lineno})"
    said = str(error).split("\n")[0]
    return type(error).__name__ + (": " + said if said else "") + place


def show(error):
    """As Python does, without the driver's own frames."""
    import traceback  # only here: it takes longer than the rest of the start
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != "<string>"]
    for line in (["Traceback (most recent call last):\n"] + traceback.format_list(frames) +
                 traceback.format_exception_only(type(error), error)):
        sys.stderr.write(line)


def main():
    job = read_job()
    os.set_inheritable(REPLY, False)
    try:
        lines = ["reply done"] + do(job)
    except Refusal as refusal:
        lines = ["reply refused", f"why {refusal}"]
    except BaseException as error:
        show(error)
        lines = ["reply refused", "why " + one_line(error)]
    sys.stdout.flush()
    reply(lines + ["end"])


main()
