// The explorer in Chromium: it measures, picks, draws and reads files, by keyboard, on a phone, and without a network.
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { errorsOf, launched, type Page, type Site, serve } from "../support/browser.js";
import { describeWith, ROOT } from "../support/packed.js";

/** A browser that shares two cores with other tests. */
const PATIENCE_MS = 120_000;

async function until<T>(page: Page, expression: string): Promise<T> {
  for (const from = Date.now(); ; ) {
    const value = await page.evaluate(expression);
    if (value) return value as T;
    if (Date.now() - from > PATIENCE_MS) {
      throw new Error(`not true in time: ${expression}; the page says ${await page.evaluate("document.body.innerText")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** An .npy of a seeded walk, in the page's own words. */
const NPY = `(() => {
  const [rows, width] = [1200, 12];
  const head = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + rows + ", " + width + "), }";
  const padded = head.padEnd(117) + "\\n";
  const bytes = new Uint8Array(10 + padded.length + rows * width * 4);
  bytes.set([0x93, 78, 85, 77, 80, 89, 1, 0, padded.length, 0]);
  bytes.set(new TextEncoder().encode(padded), 10);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < rows * width; i++) view.setFloat32(10 + padded.length + 4 * i, Math.sin(i * i), true);
  return new File([bytes], "own.npy");
})()`;

describeWith(["tools", "chromium"], "the explorer", () => {
  const browser = launched();
  let site: Site;
  let page: Page;
  let errors: string[];
  const text = (selector: string): Promise<string> =>
    page.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`) as Promise<string>;
  const rows = (): Promise<string[][]> =>
    page.evaluate(
      `[...document.querySelectorAll("#table tbody tr")].map((row) => [...row.cells].map((cell) => cell.innerText))`,
    ) as Promise<string[][]>;
  const slide = (id: string, to: number): Promise<unknown> =>
    page.evaluate(`(${id}.value = ${to}, ${id}.dispatchEvent(new Event("input")), new Promise(requestAnimationFrame))`);
  /** On Linux a canvas of one colour has no chart on it. */
  const drawn = (chart: number): Promise<unknown> =>
    page.evaluate(`(() => {
      const canvas = document.querySelectorAll("#charts canvas:not([aria-hidden])")[${chart}];
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    })()`);

  beforeAll(async () => {
    site = await serve(join(ROOT, "dist/explorer"));
    const context = await browser().newContext();
    page = await context.newPage();
    errors = errorsOf(page);
    await page.goto(`${site.origin}/index.html`);
  });
  afterAll(() => {
    site?.close();
  });

  it("measures all families as soon as it is opened", async () => {
    await until(page, `/^Measured 9 indices of 10,000 vectors/.test(document.querySelector("#status").innerText)`);
    const all = await rows();
    expect(all.map(([name]) => name)).toEqual([
      "Flat",
      "HNSW fast-scan",
      "HNSW",
      "IVF",
      "IVF-PQ",
      "IVF-PQ, re-ranked",
      "kd-tree",
      "forest",
      "LSH",
    ]);
    expect(all[0].slice(0, 4)).toEqual(["Flat", "Flat", "1.000", "–"]);
    for (const chart of [0, 1, 2, 3]) expect(await drawn(chart)).toBeGreaterThan(50);
    await page.evaluate(`document.querySelector("#charts summary").click()`);
    await until(page, `document.querySelectorAll("#charts table tbody tr").length > 20`);
  });

  it("picks otherwise for another recall, and beyond what was measured by formulas", async () => {
    const before = await text("#picks");
    expect(before).toMatch(/Recall and latency[\s\S]*Recall and memory[\s\S]*Latency and memory/);
    await slide("recall", 0);
    expect(await text("#recall-value")).toBe("0.500");
    const low = await text("#picks");
    // Codes alone find half, and are the smallest.
    expect(low.split("Recall and memory")[1]).toMatch(/^\s*IVF-PQ\s/);
    expect(low).not.toBe(before);
    await slide("size", 8);
    expect(await text("#grounds")).toMatch(/extrapolated .* by the formulas .* dashed/);
    expect(await text("#picks")).toMatch(/extrapolated to 5M/);
    expect((await rows()).at(-1)).toContain("no formula");
    await slide("size", 0);
    expect(await text("#picks")).toBe(low);
  });

  it("tabs by keyboard", async () => {
    const selected = (): Promise<unknown> =>
      page.evaluate(`[...document.querySelectorAll("[role=tab]")].map((tab) => [tab.ariaSelected, tab.tabIndex, tab === document.activeElement,
        document.getElementById(tab.getAttribute("aria-controls")).hidden].join())`);
    await page.evaluate(`document.querySelector("[role=tab]").focus()`);
    await page.keyboard.press("ArrowRight");
    expect(await selected()).toEqual(["false,-1,false,true", "true,0,true,false"]);
    await page.keyboard.press("Home");
    expect(await selected()).toEqual(["true,0,true,false", "false,-1,false,true"]);
  });

  it("names every control", async () => {
    const nameless = `[...document.querySelectorAll("input, select, button, canvas, .plot")].filter((one) =>
      !(one.labels?.length || one.innerText || one.ariaLabel || one.getAttribute("aria-labelledby") || one.ariaHidden || one.closest("[role=img]"))
    ).map((one) => one.outerHTML)`;
    expect(await page.evaluate(nameless)).toEqual([]);
  });

  it("fits a phone, in light and dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate("new Promise(requestAnimationFrame)");
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
      const [red] = (await page.evaluate(
        `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)`,
      )) as number[];
      expect(red > 128).toBe(colorScheme === "light");
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  it("measures a file that is dropped on it, with no server any more", async () => {
    site.close();
    await page.evaluate(`(() => {
      for (const box of document.querySelectorAll("[name=family]")) box.checked = ["flat", "hnsw"].includes(box.value);
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(${NPY});
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    })()`);
    await until(page, `/^Measured 2 indices of 1,000 vectors/.test(document.querySelector("#status").innerText)`);
    expect(await text("#grounds")).toMatch(/^own\.npy: 1,000 × 12, l2/);
    expect((await rows()).map(([name]) => name)).toEqual(["Flat", "HNSW"]);
    // The worker that an abort has ended comes back without one, too.
    await page.evaluate(`document.querySelector("#run").click(), document.querySelector("#stop").click()`);
    await until(page, `/^Stopped/.test(document.querySelector("#status").innerText)`);
    await page.evaluate(`document.querySelector("#run").click()`);
    await until(page, `/^Measured 2 indices of 1,000 vectors/.test(document.querySelector("#status").innerText)`);
    expect(errors).toEqual([]);
  });
});
