// A dashboard, a browser before it, and the database behind it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import pg from "pg";
import { chromium } from "playwright-core";

export const dsn = process.env.PGQUEUER_TEST_DSN;

/** A session in the database. */
export async function session() {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  return client;
}

/** `pgq web` with these arguments; `listen` names a port that was there before. */
export async function dashboard(args = [], listen = "127.0.0.1:0") {
  const process_ = spawn(process.env.PGQUEUER_TEST_PGQ, ["web", "--dsn", dsn, "--json", "--listen", listen, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: process_.stdout }), "line");
  const { address } = JSON.parse(line);
  const stop = async () => {
    const ended = once(process_, "exit");
    process_.kill("SIGTERM");
    await ended;
  };
  return { address, url: `http://${address}`, stop };
}

export async function browser() {
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

/**
 * A page, and all that went wrong in it: errors on the console, exceptions, requests to another host, dialogs. A page that
 * is answered with an error is not one of them: the browser writes it to the console, too.
 */
export async function watched(browser, site, options = {}) {
  const context = await browser.newContext({ baseURL: site.url, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  context.on("request", (request) => {
    if (new URL(request.url()).host !== site.address) wrong.push(`request: ${request.url()}`);
  });
  return { page, wrong, close: () => context.close() };
}

/** Looks until there is something to see, for ten seconds. */
export async function until(what, look) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
