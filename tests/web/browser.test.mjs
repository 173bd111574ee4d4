// The dashboard as a person meets it. Each test ends with nothing wrong in its page: no error on the console, no request to
// another host.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { faults } from "./faults.mjs";
import { seed } from "./seed.mjs";
import { browser, dashboard, session, until, watched } from "./site.mjs";

const EVIL = `"'><img src=x onerror="window.pwned = 1"><script>window.pwned = 1</script>\u202e`;
let sql, site, chromium;

before(async () => {
  sql = await session();
  await seed(sql);
  site = await dashboard();
  chromium = await browser();
});

after(async () => {
  await chromium?.close();
  await site?.stop();
  await sql?.end();
});

const value = async (statement, parameters = []) => Object.values((await sql.query(statement, parameters)).rows[0] ?? {})[0];
const status = (id) => value("SELECT status::text FROM pgq.status(ARRAY[$1::bigint])", [id]);
const failures = () => value("SELECT count(*)::int FROM pgq.jobs WHERE status = 'failed'");
const enqueue = (entrypoint, payload) => value("SELECT pgq.enqueue($1::text, payload => $2::text)", [entrypoint, payload]);

/** Runs a test in a page, and looks whether all went well there. */
function visit(name, act, options = {}) {
  test(name, { timeout: 60_000 }, async () => {
    const visitor = await watched(chromium, site, options);
    visitor.page.setDefaultTimeout(10_000);
    try {
      await act(visitor.page, visitor);
      assert.deepEqual(visitor.wrong, []);
    } finally {
      await visitor.close();
    }
  });
}

const said = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();

/** Fails some jobs of an entrypoint for good, and returns them. */
async function failed(entrypoint, count) {
  await sql.query("SELECT pgq.configure($1, max_attempts => 1)", [entrypoint]);
  const ids = [];
  for (let i = 0; i < count; i++) ids.push(await enqueue(entrypoint, `failing ${i}`));
  const { rows } = await sql.query("SELECT id FROM pgq.dequeue(ARRAY[$1::text], $2)", [entrypoint, count]);
  for (const { id } of rows) await sql.query("SELECT pgq.fail($1, error => 'no route'::text)", [id]);
  return ids;
}

const PAGES = ["/", "/entrypoints", "/entrypoint?name=mail.send", "/jobs", "/jobs?entrypoint=mail.send&status=queued", "/failures", "/schedules", "/workers", "/health", "/jobs/1"];
for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
    visit(`every page is whole in ${colorScheme} at ${viewport.width} px`, async (page) => {
      for (const path of PAGES) {
        await page.goto(path);
        await said(page, "live");
        assert.deepEqual(await page.evaluate(faults), [], path);
      }
    }, { colorScheme, viewport });
  }
}

visit("the overview shows what is there and what comes, without being loaded again", async (page) => {
  await page.goto("/");
  await said(page, "live");
  await page.evaluate(() => { window.same = true; });
  const row = page.getByRole("row", { name: /^mail\.send/ });
  const waiting = Number(await row.getByRole("cell").first().textContent());
  assert.equal(waiting, await value("SELECT count(*)::int FROM pgq.jobs WHERE entrypoint = 'mail.send' AND status = 'queued'"));
  await enqueue("mail.send", "one more");
  await until("the row counts it", async () => Number(await row.getByRole("cell").first().textContent()) === waiting + 1);
  await enqueue("brand.new", "x");
  await page.getByRole("link", { name: "brand.new" }).waitFor();
  assert.ok(await page.evaluate(() => window.same));
  assert.ok(await page.getByRole("img", { name: /Jobs ended per minute, last hour: at most \d/ }).isVisible());
});

visit("what a reader has opened, ticked and begun to type stays through updates", async (page) => {
  await failed("stays", 3);
  await page.goto("/failures?entrypoint=stays");
  await said(page, "live");
  await page.getByRole("checkbox", { name: /^Select job/ }).first().check();
  await page.getByText("Delete selected …").click();
  await page.getByLabel("Entrypoint").fill("half a na");
  const rows = page.locator("tbody tr");
  await failed("stays", 1);
  await until("the new failure is shown", async () => (await rows.count()) === 4);
  assert.equal(await page.getByRole("checkbox", { name: /^Select job/, checked: true }).count(), 1);
  assert.ok(await page.getByRole("button", { name: "Delete selected jobs" }).isVisible());
  assert.equal(await page.getByLabel("Entrypoint").inputValue(), "half a na");
  await sql.query("SELECT pgq.delete(ARRAY(SELECT id FROM pgq.jobs WHERE entrypoint = 'stays'))");
});

visit("a job is canceled, deleted, made due and queued again", async (page) => {
  const [canceled, deleted, later] = [await enqueue("one", "a"), await enqueue("one", "b"), await enqueue("one", "c")];
  await sql.query("SELECT pgq.reschedule(ARRAY[$1::bigint], now() + interval '1 day')", [later]);
  await page.goto(`/jobs/${canceled}`);
  await page.getByText("Cancel …").click();
  await page.getByRole("button", { name: "Cancel this job" }).click();
  await said(page, "1 job canceled");
  assert.equal(await status(canceled), "canceled");
  await page.goto(`/jobs/${deleted}`);
  await page.getByText("Delete …").click();
  await page.getByRole("button", { name: "Delete this job" }).click();
  await said(page, "1 job deleted");
  assert.equal(await status(deleted), "deleted");
  await page.goto(`/jobs/${later}`);
  await page.getByRole("button", { name: "Make due now" }).click();
  await said(page, "1 job due now");
  assert.ok(await value("SELECT execute_after <= now() FROM pgq.jobs WHERE id = $1", [later]));
  const [id] = await failed("two", 1);
  await page.goto(`/jobs/${id}`);
  await page.getByRole("button", { name: "Requeue" }).click();
  await said(page, "1 job queued again");
  assert.equal(await status(id), "queued");
  // What was said is not said again.
  await page.reload();
  assert.equal(await page.getByText("queued again").count(), 0);
});

visit("failures are selected, queued again and deleted", async (page) => {
  const [first, second] = (await failed("bulk", 4)).reverse();
  await page.goto("/failures?entrypoint=bulk");
  await page.getByRole("checkbox", { name: `Select job ${first}` }).check();
  await page.getByRole("button", { name: "Requeue selected" }).click();
  await said(page, "1 job queued again");
  assert.equal(await status(first), "queued");
  await page.getByRole("checkbox", { name: `Select job ${second}` }).check();
  await page.getByText("Delete selected …").click();
  await page.getByRole("button", { name: "Delete selected jobs" }).click();
  await said(page, "1 job deleted");
  assert.equal(await status(second), "deleted");
  await page.getByLabel("All on this page").check();
  await page.getByRole("button", { name: "Requeue selected" }).click();
  await said(page, "2 jobs queued again");
  await failed("bulk", 2);
  const before = await failures();
  await page.goto("/failures?entrypoint=bulk");
  await page.getByText("All of them …").click();
  await page.getByRole("button", { name: "Delete all" }).click();
  await said(page, "2 jobs deleted");
  assert.equal(await failures(), before - 2);
  await page.goto("/failures");
  await page.getByText("All of them …").click();
  await page.getByRole("button", { name: "Requeue all" }).click();
  await said(page, "jobs queued again");
  assert.equal(await failures(), 0);
});

visit("an entrypoint is paused, resumed and limited", async (page) => {
  const paused = () => value("SELECT paused FROM pgq.entrypoints WHERE entrypoint = 'mail.send'");
  await page.goto("/entrypoints");
  await page.getByRole("button", { name: "Pause mail.send" }).click();
  await said(page, "Paused");
  assert.equal(await paused(), true);
  await page.getByRole("button", { name: "Resume mail.send" }).click();
  await said(page, "Resumed");
  assert.equal(await paused(), false);
  await page.getByRole("link", { name: "mail.send" }).click();
  await page.getByLabel("Jobs at one time").fill("12");
  await page.getByLabel("First delay, seconds").fill("0.25");
  await page.getByRole("button", { name: "Save" }).click();
  await said(page, "Saved");
  assert.equal(await value("SELECT concurrency_limit || ' ' || backoff_initial FROM pgq.entrypoints WHERE entrypoint = 'mail.send'"), "12 00:00:00.25");
  await page.getByRole("button", { name: "Pause" }).click();
  await said(page, "Paused");
  await page.getByRole("button", { name: "Resume" }).click();
  await said(page, "Resumed");
  assert.equal(await paused(), false);
});

visit("a schedule is paused, resumed and run now", async (page) => {
  const enabled = () => value("SELECT enabled FROM pgq.schedules WHERE name = 'report'");
  await page.goto("/schedules");
  await page.getByRole("button", { name: "Pause report" }).click();
  await said(page, "ticks no more");
  assert.equal(await enabled(), false);
  await page.getByRole("button", { name: "Resume report" }).click();
  await said(page, "Resumed");
  assert.equal(await enabled(), true);
  const row = page.getByRole("row", { name: /^report/ });
  await row.getByText("the next 5").click();
  assert.equal(await row.getByRole("listitem").count(), 5);
  await page.getByRole("button", { name: "Run report now" }).click();
  await said(page, "enqueued");
  assert.equal(await value("SELECT count(*)::int FROM pgq.jobs WHERE headers->>'schedule' = 'report' AND entrypoint = 'report'"), 1);
});

visit("jobs are filtered, paged and opened by id", async (page) => {
  await sql.query("SELECT pgq.enqueue('many', i::text) FROM generate_series(1, 70) AS i");
  await page.goto("/jobs");
  await page.getByLabel("Entrypoint").fill("many");
  await page.getByLabel("Status").selectOption("queued");
  await page.getByRole("search", { name: "Filter" }).getByRole("button").click();
  const rows = page.locator("tbody tr");
  assert.equal(await rows.count(), 50);
  await page.getByRole("link", { name: "Next page" }).click();
  await until("the rest is shown", async () => (await rows.count()) === 20);
  await page.getByRole("link", { name: "First page" }).click();
  const id = await value("SELECT max(id) FROM pgq.jobs WHERE entrypoint = 'many'");
  await page.getByRole("textbox", { name: "Id" }).fill(String(id));
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("heading", { name: `Job ${id}` }).waitFor();
  await page.getByRole("link", { name: "Hex" }).click();
  await page.getByText("37 30").waitFor();
});

visit("a hostile name and payload run nowhere", async (page) => {
  const id = await enqueue(EVIL, EVIL);
  await value("SELECT pgq.schedule($1, '@yearly')", [EVIL]);
  const name = encodeURIComponent(EVIL);
  for (const path of [...PAGES, `/jobs/${id}`, `/jobs/${id}?view=text`, `/entrypoint?name=${name}`, `/jobs?entrypoint=${name}`, `/failures?entrypoint=${name}`]) {
    await page.goto(path);
    assert.equal(await page.evaluate(() => window.pwned), undefined, path);
    assert.equal(await page.locator("img, main script").count(), 0, path);
  }
  await page.goto(`/jobs/${id}`);
  assert.match(await page.locator("pre.payload").textContent(), /<script>window\.pwned = 1<\/script>\\u\{202e\}/);
  await page.goto(`/entrypoint?name=${name}`);
  await page.getByRole("button", { name: "Pause" }).click();
  await said(page, "Paused");
  assert.equal(await value("SELECT paused FROM pgq.entrypoints WHERE entrypoint = $1", [EVIL]), true);
  await sql.query("SELECT pgq.unschedule($1)", [EVIL]);
});

visit("everything is reached with the keyboard", async (page) => {
  await page.goto("/jobs");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  assert.ok(await page.evaluate(() => document.activeElement.getBoundingClientRect().top >= 0));
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  // Forward from the top, each thing that can be used is met once, and seen to have the focus.
  await page.goto("/schedules");
  const usable = "a[href], button:not([hidden]), summary";
  const wanted = await page.evaluate((usable) => [...document.querySelectorAll(usable)].filter((one) => one.checkVisibility()).length, usable);
  const met = new Set();
  for (let i = 0; i < wanted; i++) {
    await page.keyboard.press("Tab");
    met.add(await page.evaluate((usable) => {
      const style = getComputedStyle(document.activeElement);
      const seen = style.outlineStyle !== "none" || document.activeElement.className === "skip";
      return `${[...document.querySelectorAll(usable)].indexOf(document.activeElement)} ${seen}`;
    }, usable));
  }
  assert.equal(met.size, wanted);
  assert.deepEqual([...met].filter((one) => !one.endsWith("true")), []);
  await page.getByRole("button", { name: "Pause cleanup" }).focus();
  await page.keyboard.press("Enter");
  await said(page, "ticks no more");
  await page.getByText("the next 5").first().focus();
  await page.keyboard.press("Space");
  await page.getByRole("listitem").filter({ hasText: /\d{4}/ }).first().waitFor();
});

visit("the colours are the reader's choice", async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.goto("/");
  const light = await ground();
  const button = page.getByRole("button", { name: /^Colours/ });
  await button.focus();
  await page.keyboard.press("Enter");
  assert.equal(await ground(), light);
  await page.keyboard.press("Enter");
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.goto("/jobs");
  assert.equal(await ground(), dark);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByRole("button", { name: /^Colours/ }).click();
  assert.equal(await ground(), dark);
}, { colorScheme: "light" });

visit("all is read and done without a script", async (page) => {
  const id = await enqueue("bare", "x");
  const pause = page.getByRole("button", { name: "Pause bare" });
  await until("the entrypoint is known", async () => (await page.goto("/entrypoints")) && (await pause.count()));
  await pause.click();
  await page.getByText("Paused: running jobs go on").waitFor();
  await page.goto(`/jobs/${id}`);
  await page.getByText("Cancel …").click();
  await page.getByRole("button", { name: "Cancel this job" }).click();
  await page.getByText("1 job canceled").waitFor();
  assert.equal(await status(id), "canceled");
  const [lost] = await failed("bare too", 1);
  await page.goto("/failures");
  await page.getByRole("checkbox", { name: `Select job ${lost}` }).check();
  await page.getByRole("button", { name: "Requeue selected" }).click();
  await page.getByText("1 job queued again").waitFor();
  assert.equal(await status(lost), "queued");
}, { javaScriptEnabled: false });

test("a page outlives a restart of the dashboard", { timeout: 60_000 }, async () => {
  const own = await dashboard();
  const { page, close } = await watched(chromium, own);
  await page.goto("/jobs");
  await said(page, "live");
  await own.stop();
  await said(page, "reconnecting");
  const id = await enqueue("after.restart", "x");
  const again = await dashboard([], own.address);
  await said(page, "live");
  await page.getByRole("link", { name: id, exact: true }).waitFor();
  await close();
  await again.stop();
});

visit("a page that nobody sees holds no connection", async (page) => {
  await page.goto("/jobs");
  await said(page, "live");
  const hide = (hidden) => page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await hide(true);
  const id = await enqueue("while.hidden", "x");
  const asked = page.waitForRequest((request) => request.url().endsWith("/events"));
  await hide(false);
  await asked;
  await page.getByRole("link", { name: id, exact: true }).waitFor();
});
