// The pictures of docs/images: screenshots.mjs FOLDER
import { join } from "node:path";
import { seed } from "./seed.mjs";
import { browser, dashboard, session, watched } from "./site.mjs";

const folder = process.argv[2];
const sql = await session();
await sql.query("SET application_name = 'thumbnails'");
await seed(sql);
const site = await dashboard(["--title", "shop"]);
const chromium = await browser();
const { rows: [failed] } = await sql.query("SELECT max(id) AS id FROM pgq.jobs WHERE status = 'failed'");
const wide = { width: 1200, height: 820 };
const pictures = [
  ["web-overview", "/", { viewport: wide, colorScheme: "light" }],
  ["web-overview-dark", "/", { viewport: wide, colorScheme: "dark" }],
  ["web-failures", "/failures", { viewport: { width: 1200, height: 640 }, colorScheme: "light" }],
  ["web-job", `/jobs/${failed.id}`, { viewport: { width: 1200, height: 820 }, colorScheme: "light" }],
  ["web-phone", "/", { viewport: { width: 390, height: 820 }, colorScheme: "dark" }],
];
for (const [name, path, options] of pictures) {
  const { page, close } = await watched(chromium, site, { ...options, deviceScaleFactor: 1.5 });
  await page.goto(path);
  await page.getByRole("status").filter({ hasText: "live" }).waitFor();
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await close();
}
await chromium.close();
await site.stop();
await sql.end();
