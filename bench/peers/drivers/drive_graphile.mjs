// Graphile Worker.
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { Progress, main, paced, payload, payloads, say, timedBatches, timedEnqueue, waitForGo } from "./protocol.mjs";

const logger = new Logger(() => (level, message, meta) => {
  if (level === "error") process.stderr.write(`${message} ${meta ? JSON.stringify(meta) : ""}\n`);
});

async function utilsOf({ dsn }, max) {
  const pgPool = new pg.Pool({ connectionString: dsn, max });
  pgPool.on("error", (error) => process.stderr.write(`${error}\n`));
  pgPool.on("connect", (client) => client.on("error", () => {}));
  return makeWorkerUtils({ pgPool, logger });
}

await main({
  async install(options) {
    const utils = await utilsOf(options, 1);
    await utils.migrate();
    say({ e: "result" });
  },
  async enqueue1(options) {
    const utils = await utilsOf(options, options.conns);
    await timedEnqueue((sequence) => utils.addJob("bench", payload(sequence)), options);
  },
  async batch(options) {
    const utils = await utilsOf(options, 1);
    const jobs = (first, count) => payloads(first, count).map((payload) => ({ identifier: "bench", payload }));
    await timedBatches((first, count) => utils.addJobs(jobs(first, count)), options);
  },
  async work(options) {
    const progress = new Progress(options);
    const bench = async (payload) => {
      progress.started(payload.s);
      progress.hit();
    };
    const preset = { worker: { connectionString: options.dsn, ...options.worker } };
    await waitForGo();
    for (let i = 0; i < (options.runners ?? 1); i++) {
      await run({ taskList: { bench }, noHandleSignals: true, logger, preset });
    }
    await new Promise(() => {});
  },
  async latency(options) {
    const utils = await utilsOf(options, 1);
    await paced((sequence) => utils.addJob("bench", payload(sequence)), options);
  },
});
