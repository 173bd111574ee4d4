// The lines that every driver speaks, as protocol.py has them.
import readline from "node:readline";

export const now = () => (performance.timeOrigin + performance.now()) / 1000;
export const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const PADDING = "x".repeat(80);
// About 100 bytes of JSON.
export const payload = (sequence) => ({ s: sequence, p: PADDING });
export const payloads = (first, count) => Array.from({ length: count }, (_, i) => payload(first + i));

export async function waitForGo() {
  say({ e: "ready" });
  const lines = readline.createInterface({ input: process.stdin });
  await new Promise((resolve) => lines.once("line", resolve));
}

// What a worker has handled. Told every 20 ms, and at once when it is all that is expected.
export class Progress {
  constructor({ expect, log }) {
    this.handled = this.told = 0;
    this.expected = expect;
    this.starts = log ? [] : null;
    setInterval(() => this.tell(), 20);
  }

  hit(jobs = 1) {
    if (this.handled === 0) say({ e: "first", t: now() });
    this.handled += jobs;
    if (this.handled === this.expected) this.tell();
  }

  started(sequence) {
    if (this.starts) this.starts.push([sequence, now()]);
  }

  tell() {
    if (this.handled !== this.told) {
      this.told = this.handled;
      say({ e: "n", n: this.handled });
    }
    if (this.starts?.length) {
      say({ e: "starts", rows: this.starts });
      this.starts = [];
    }
  }
}

// Each of `conns` loops calls, for so many seconds.
export async function timedEnqueue(call, { conns, seconds }) {
  const each = (loop) => Promise.all(Array.from({ length: conns }, loop));
  await each(() => call(0));
  await waitForGo();
  const begun = performance.now();
  let jobs = 0;
  await each(async () => {
    for (let sequence = 0; performance.now() < begun + seconds * 1000; sequence++) {
      await call(sequence);
      jobs++;
    }
  });
  say({ e: "result", jobs, seconds: (performance.now() - begun) / 1000 });
}

// `call(first, count)` enqueues a batch.
export async function timedBatches(call, { total, size }) {
  await waitForGo();
  const begun = performance.now();
  for (let first = 0; first < total; first += size) await call(first, Math.min(size, total - first));
  say({ e: "result", jobs: total, seconds: (performance.now() - begun) / 1000 });
}

// One job after the other, so many a second. Tells when each call began, and when its commit was known.
export async function paced(call, { n, rate }) {
  await waitForGo();
  const rows = [];
  let next = now();
  for (let sequence = 0; sequence < n; sequence++) {
    if (next > now()) await sleep((next - now()) * 1000);
    const called = now();
    await call(sequence);
    rows.push([sequence, called, now()]);
    // Uneven, so that no poll falls in step with the arrivals.
    next += (0.5 + ((sequence * 7919) % 1000) / 1000) / rate;
  }
  say({ e: "result", rows });
}

export async function main(operations) {
  const [operation, json] = process.argv.slice(2);
  await operations[operation](JSON.parse(json));
  // Until all that was said is out.
  await new Promise((resolve) => process.stdout.write("", resolve));
  process.exit(0);
}
