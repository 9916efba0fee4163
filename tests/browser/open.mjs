// Opens HTML files in a headless browser, at two widths, and writes what it met as JSON: requests, console messages, faults of
// axe-core, whether the page is wider than its window, and the page's text. Used by tests/browser/test_browser.py.
//
// node open.mjs CHROMIUM NODE_MODULES PICTURES|- FILE...
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const [chromium, modules, pictures, ...files] = process.argv.slice(2);
const require = createRequire(pathToFileURL(join(modules, "x.js")));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf-8");

const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"],
});
const seen = [];
for (const file of files) {
  for (const [width, scheme] of [[1280, "light"], [390, "dark"]]) {
    const page = await browser.newPage();
    const url = pathToFileURL(file).href;
    const met = { file, width, requests: [], console: [], dialogs: 0, axe: [] };
    page.on("request", (request) => request.url() !== url && met.requests.push(request.url()));
    page.on("console", (message) => met.console.push(message.text()));
    page.on("pageerror", (error) => met.console.push(String(error)));
    page.on("dialog", (dialog) => { met.dialogs += 1; dialog.dismiss(); });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.setViewport({ width, height: 900 });
    await page.goto(url, { waitUntil: "load" });
    await page.$$eval("details", (all) => all.forEach((details) => (details.open = true)));
    met.ran = await page.evaluate(() => document.title.includes("PWNED") || "pwned" in globalThis);
    met.overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    met.text = await page.evaluate(() => document.body.textContent);
    await page.evaluate(axe);
    const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    for (const fault of result.violations) {
      met.axe.push({ id: fault.id, impact: fault.impact, nodes: fault.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 260)}`) });
    }
    if (pictures !== "-") {
      await page.reload();
      await page.screenshot({ path: join(pictures, `${basename(file, ".html")}-${width}.png`), fullPage: true });
    }
    seen.push(met);
    await page.close();
  }
}
await browser.close();
process.stdout.write(JSON.stringify(seen));
