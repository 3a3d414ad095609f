// The page of `caravel serve` in a real browser. Prints one line for each thing that is wrong; 1 if any.
//
//   node page_check.mjs MODULES URL [PICTURES]
//
// MODULES has playwright-core and axe-core. With PICTURES, a folder, pictures are left there and nothing
// is checked. Asks on standard output ("drop") for an extract, so that the page can show it live.
import {createRequire} from "node:module";
import path from "node:path";

const [modules, url, pictures] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(modules), "x.js"));
const {chromium} = require("playwright-core");

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let wrong = 0;
function complain(text) {
  wrong += 1;
  console.log("WRONG " + text);
}

const looks = [["light", "light", 1280], ["dark", "dark", 1280], ["phone", "light", 390]];

async function open(scheme, width, more = {}) {
  const context = await browser.newContext({colorScheme: scheme, viewport: {width, height: 800},
                                            deviceScaleFactor: pictures ? 1.5 : 1, ...more});
  const page = await context.newPage();
  page.on("pageerror", error => complain(`${scheme} ${width}: ${error.message}`));
  page.on("console", message => {
    if (message.type() === "error") complain(`${scheme} ${width}: ${message.text()}`);
  });
  page.on("dialog", dialog => { complain("a name became a script: " + dialog.message()); dialog.dismiss(); });
  page.on("request", request => {
    if (!request.url().startsWith(url)) complain("asked for " + request.url());
  });
  await page.goto(url);
  return {context, page};
}

async function takePictures() {
  for (const [name, scheme, width] of looks) {
    const {context, page} = await open(scheme, width);
    await page.getByText("live", {exact: true}).waitFor();
    await page.screenshot({path: path.join(pictures, `page-${name}.png`),
                           clip: {x: 0, y: 0, width, height: width < 800 ? 1100 : 900}, fullPage: true});
    await context.close();
  }
}

async function checkLooks() {
  for (const [name, scheme, width] of looks) {
    // axe puts its own script into the page, which the page's policy refuses: so it is set aside here.
    const {context, page} = await open(scheme, width, {bypassCSP: true});
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) complain(`${name}: ${wide} pixels wider than the screen`);
    await page.addScriptTag({path: require.resolve("axe-core")});
    const found = await page.evaluate(() => globalThis.axe.run());
    if (found.passes.length < 15) complain(`${name}: axe looked at ${found.passes.length} things only`);
    for (const one of found.violations) {
      complain(`${name}: axe: ${one.id}: ${one.help}: ${one.nodes.map(node => node.html).join(" | ").slice(0, 400)}`);
    }
    await context.close();
  }
}

/// The numbers are there without a script, and nothing is offered that would need one.
async function checkWithoutScript() {
  const {context, page} = await open("light", 1280, {javaScriptEnabled: false});
  if (await page.locator("#feeds .states dd").count() < 5) complain("without JavaScript: no numbers");
  if (await page.locator("svg.plot path.bars").count() < 1) complain("without JavaScript: no plot");
  if (await page.locator("button:visible").count() > 0) complain("without JavaScript: a button");
  await context.close();
}

async function checkLive() {
  const {context, page} = await open("light", 1280, {permissions: ["clipboard-read", "clipboard-write"]});
  await page.getByText("live", {exact: true}).waitFor();
  // Whoever is at it with the keyboard keeps the place: the part that has the focus is not exchanged.
  await page.keyboard.press("Tab");
  if (await page.evaluate(() => document.activeElement.className) !== "skip") complain("no way past the head");
  const copy = page.locator("#failed button").first();
  await copy.focus();
  await page.keyboard.press("Enter");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  if (!copied.startsWith("caravel ")) complain(`copied: ${copied}`);
  console.log("drop");
  await page.locator("#recent").getByText("live-2012-03-09.log").waitFor({timeout: 60000});
  if (await page.evaluate(() => document.activeElement.tagName) !== "BUTTON") complain("the focus was taken away");
  await context.close();
}

if (pictures) {
  await takePictures();
} else {
  await checkLooks();
  await checkWithoutScript();
  await checkLive();
}
await browser.close();
process.exit(wrong > 0 ? 1 : 0);
