// perfkit's driver for Node: measures the functions bench_* that one file exports.
//
// It is given to node with -e, gets a job on standard input and replies on descriptor 3; see
// docs/driver-protocol.md. Node 16 or newer.
"use strict";
const fs = require("fs");
const path = require("path");
const Module = require("module");
const { pathToFileURL } = require("url");

const REPLY = 3;
const now = process.hrtime.bigint;

class Refusal extends Error {} // what cannot be measured, in one line for the person who asked

function readJob() {
    const job = {};
    for (const line of fs.readFileSync(0, "utf8").split("\n")) {
        const blank = line.indexOf(" ");
        if (blank < 0) continue;
        const text = line.slice(blank + 1);
        job[line.slice(0, blank)] = text.replace(/\\(n|\\)/g, (_, c) => (c === "n" ? "\n" : "\\"));
    }
    return job;
}

function reply(lines) {
    const escape = (line) => line.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
    let data = Buffer.from(lines.map((line) => escape(line) + "\n").join(""));
    while (data.length) data = data.subarray(fs.writeSync(REPLY, data));
}

// ---- what the file offers ----

// The file may lie in a store, without its name: CommonJS is compiled under the name it had.
async function load(job) {
    const folder = path.resolve(job.folder || ".");
    const shown = path.join(folder, (job.group || "module") + ".js");
    const source = fs.readFileSync(job.file, "utf8").replace(/^#!.*/, "");
    const module = new Module(shown);
    module.filename = shown;
    module.paths = Module._nodeModulePaths(folder);
    try {
        module._compile(source, shown);
        return module.exports;
    } catch (error) {
        const es = error instanceof SyntaxError && /import statement|'export'|import\.meta/.test(error.message);
        if (!es) throw error;
        return import(pathToFileURL(path.resolve(job.file)).href);
    }
}

// One bench_* function; its properties are those of the Python driver:
//   benchName          instead of what follows bench_ (a function's own `name` cannot be set)
//   params             values; the function is called with one of them
//   setup              called once per process; the function is called with what it returns
//   teardown           called at the end, with the same
//   bytes, elements    processed by one call
class Benchmark {
    constructor(name, run) {
        if (/^(Async|Generator)/.test(run.constructor.name))
            throw new Refusal(`${name} is asynchronous or a generator: calling it does no work; ` +
                              "measure a plain function");
        this.run = run;
        this.name = String(run.benchName || name.slice("bench_".length));
        this.params = (run.params || []).map((value) => [this.textOf(name, value), value]);
        if (!this.name) throw new Refusal(`${name} needs a name behind bench_`);
    }
    textOf(name, value) {
        const text = String(value);
        if (!text || /[,:\n]/.test(text))
            throw new Refusal(`${name}.params: a value that is written "${text}" cannot be named on the ` +
                              "command line; give numbers or words, and make the rest in setup");
        return text;
    }
    offer(group) {
        const lines = ["offer", `group ${group}`, `function ${this.name}`];
        if (this.params.length) lines.push("params " + this.params.map(([text]) => text).join(","));
        return lines;
    }
    throughput() {
        for (const unit of ["bytes", "elements"])
            if (this.run[unit] !== undefined)
                return ["throughput 1", `throughput.bytes ${unit === "bytes" ? 1 : 0}`,
                        `throughput.per-iteration ${Math.trunc(this.run[unit])}`];
        return [];
    }
    argument(text) {
        const known = this.params.find(([name]) => name === text);
        if (known) return known[1];
        return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
    }
}

function benchmarksOf(exported) {
    const seen = Object.entries(exported).concat(Object.entries(exported.default || {}));
    const found = new Map();
    for (const [name, value] of seen)
        if (name.startsWith("bench_") && typeof value === "function" && !found.has(name))
            found.set(name, new Benchmark(name, value));
    return [...found.values()];
}

// ---- measuring ----

let sink; // what the function returns is kept, so that the engine cannot leave the call out

function timeBody(n, run, argument) {
    const start = now();
    for (let i = 0; i < n; i++) sink = run(argument);
    return Number(now() - start);
}

function timeLoop(n) {
    const start = now();
    for (let i = 0; i < n; i++) sink = undefined;
    return Number(now() - start);
}

function makeBody(benchmark, param) {
    let argument = param === undefined ? undefined : benchmark.argument(param);
    if (benchmark.run.setup) argument = benchmark.run.setup(argument);
    return {
        time: (n) => timeBody(n, benchmark.run, argument),
        close: () => benchmark.run.teardown && benchmark.run.teardown(argument),
    };
}

function openSchedstat() {
    try {
        return fs.openSync("/proc/thread-self/schedstat", "r");
    } catch {
        return -1;
    }
}

const schedstatText = Buffer.alloc(64);
// Nanoseconds that this thread was ready to run and had no CPU.
function waited(schedstat) {
    const length = fs.readSync(schedstat, schedstatText, 0, schedstatText.length, 0);
    return Number(schedstatText.toString("latin1", 0, length).split(" ")[1]);
}

// CPU time in ns: of the thread where Node can tell, else of the process with its helpers.
function cpuTime() {
    const usage = process.threadCpuUsage ? process.threadCpuUsage() : process.cpuUsage();
    return (usage.user + usage.system) * 1000;
}

// Wall, CPU and waiting time of n calls; the clocks are nested, the wall clock innermost.
function unit(time, n, schedstat) {
    const cpu = cpuTime();
    const wait = schedstat < 0 ? 0 : waited(schedstat);
    const wall = time(n);
    const waiting = schedstat < 0 ? [] : [waited(schedstat) - wait];
    return [wall, cpuTime() - cpu, ...waiting];
}

function calibrate(time, unitNs) {
    for (let n = 1; ; n *= 2) {
        let took = time(n);
        if (took < unitNs / 2) continue;
        if (took < 1e8) took = Math.min(took, time(n), time(n));
        if (took >= unitNs / 2) return Math.max(1, Math.round((n * unitNs) / took));
    }
}

// The median of some units, after the engine has compiled the loop.
function measureLoop(unitNs) {
    for (const until = now() + 3000000n; now() < until; ) timeLoop(10000);
    const n = calibrate(timeLoop, unitNs);
    const times = Array.from({ length: 9 }, () => timeLoop(n)).sort((a, b) => a - b);
    return times[4] / n;
}

function measure(job, benchmark, body) {
    const unitNs = Number(job["unit-ns"]);
    const schedstat = openSchedstat();
    const loopNs = measureLoop(unitNs / 2);
    const warmUntil = now() + BigInt(job["warm-ns"]);
    let n = calibrate(body.time, unitNs);
    while (now() < warmUntil) unit(body.time, n, schedstat);
    n = calibrate(body.time, unitNs); // the compiler has been at it since
    const units = [];
    const end = now() + BigInt(job["worker-ns"]);
    do units.push(unit(body.time, n, schedstat));
    while (now() < end);
    return benchmark.throughput().concat([`loop ${loopNs.toFixed(4)}`, `iterations ${n}`],
                                         units.map((u) => "unit " + u.join(" ")));
}

function runFor(time, ns) {
    const end = now() + ns;
    for (let n = 1; now() < end; ) if (time(n) < 1e7) n *= 2;
}

// ---- the four tasks ----

async function perform(job) {
    if (!job.file) throw new Refusal("a job without a file");
    const exported = await load(job);
    const benchmarks = benchmarksOf(exported);
    if (job.task === "list") {
        const group = String(exported.GROUP || (exported.default && exported.default.GROUP) || job.group);
        return [`program ${process.execPath}`].concat(...benchmarks.map((b) => b.offer(group)));
    }
    const benchmark = benchmarks.find((b) => b.name === job.function);
    if (!benchmark) throw new Refusal(`there is no ${job.function} in it any more`);
    const body = makeBody(benchmark, job.param);
    try {
        if (job.task === "measure") return measure(job, benchmark, body);
        if (job.task === "once") body.time(1);
        else runFor(body.time, BigInt(job["worker-ns"]));
        return benchmark.throughput();
    } finally {
        body.close();
    }
}

// The error and where in the person's file it arose.
function oneLine(error, job) {
    if (!(error instanceof Error)) return `threw ${String(error).split("\n")[0]}`;
    const name = (job.group || "") + ".js";
    const frame = String(error.stack).split("\n").find((line) => line.includes(name + ":"));
    const at = frame && frame.match(/([^/(\s]+\.js:\d+)/);
    return `${error.name}: ${error.message.split("\n")[0]}${at ? ` (${at[1]})` : ""}`;
}

const job = readJob();
perform(job).then(
    (lines) => reply(["reply done", ...lines, "end"]),
    (error) => {
        if (!(error instanceof Refusal)) console.error(error);
        const why = error instanceof Refusal ? error.message : oneLine(error, job);
        reply(["reply refused", "why " + why, "end"]);
    },
).then(() => process.exit(0));
