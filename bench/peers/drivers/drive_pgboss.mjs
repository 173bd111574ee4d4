// pg-boss.
import { PgBoss } from "pg-boss";
import {
  Progress, main, paced, payload, payloads, say, sleep, timedBatches, timedEnqueue, waitForGo,
} from "./protocol.mjs";

async function bossOf({ dsn }, settings) {
  const boss = new PgBoss({ connectionString: dsn, ...settings });
  boss.on("error", (error) => process.stderr.write(`${error}\n`));
  await boss.start();
  return boss;
}

const producerOf = (options, max) => bossOf(options, { supervise: false, schedule: false, max });

// Its documented calls for whoever has a loop of his own: work() looks twice a second at most.
async function loop(boss, progress) {
  for (;;) {
    const jobs = await boss.fetch("bench", { batchSize: 1 });
    if (jobs.length === 0) {
      await sleep(20);
      continue;
    }
    progress.hit(jobs.length);
    await boss.complete("bench", jobs.map((job) => job.id));
  }
}

await main({
  async install(options) {
    const boss = await bossOf(options, {});
    await boss.createQueue("bench", { notify: true });
    await boss.stop({ graceful: false });
    say({ e: "result" });
  },
  async enqueue1(options) {
    const boss = await producerOf(options, options.conns);
    await timedEnqueue((sequence) => boss.send("bench", payload(sequence)), options);
  },
  async batch(options) {
    const boss = await producerOf(options, 1);
    const jobs = (first, count) => payloads(first, count).map((data) => ({ data }));
    await timedBatches((first, count) => boss.insert("bench", jobs(first, count)), options);
  },
  async work(options) {
    const progress = new Progress(options);
    const bosses = [];
    for (let i = 0; i < (options.bosses ?? 1); i++) bosses.push(await bossOf(options, options.boss));
    await waitForGo();
    if (options.loops) {
      await Promise.all(Array.from({ length: options.loops }, () => loop(bosses[0], progress)));
    }
    for (const boss of bosses) {
      await boss.work("bench", options.worker, async (jobs) => {
        for (const job of jobs) progress.started(job.data.s);
        progress.hit(jobs.length);
      });
    }
    await new Promise(() => {});
  },
  async latency(options) {
    const boss = await producerOf(options, 1);
    await paced((sequence) => boss.send("bench", payload(sequence)), options);
  },
});
