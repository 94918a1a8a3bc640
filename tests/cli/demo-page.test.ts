// The page of demo:page in Chromium: what is typed is found, what is changed is kept, and tabs share it.
import { afterAll, beforeAll, expect, it } from "vitest";
import { serveFiles } from "../../src/cli/serve-files.mjs";
import { pageFiles } from "../../src/pages/demo/files.mjs";
import { type Context, errorsOf, launched, type Page, until } from "../support/browser.js";
import { describeWith } from "../support/packed.js";

/** Of which a tenth is kept back. */
const LIMIT = 40;

interface Tab {
  readonly page: Page;
  readonly errors: string[];
}

describeWith(["tools", "chromium"], "demo:page", () => {
  const browser = launched();

  function served(lexical: boolean): () => string {
    let site: { url: string; close(): void };
    beforeAll(async () => {
      site = await serveFiles(await pageFiles({ limit: LIMIT, lexical }), 0);
    });
    afterAll(() => site?.close());
    return () => site.url;
  }

  async function opened(context: Context, url: string): Promise<Tab> {
    const page = await context.newPage();
    const tab = { page, errors: errorsOf(page) };
    await page.goto(url);
    await until(tab.page, `document.documentElement.dataset.ready`);
    return tab;
  }

  const type = ({ page }: Tab, text: string): Promise<unknown> =>
    page.evaluate(`(query.value = ${JSON.stringify(text)}, query.dispatchEvent(new Event("input")))`);
  const FIRST = `document.querySelector("#hits li .text")?.textContent`;
  const click = ({ page }: Tab, selector: string): Promise<unknown> =>
    page.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  async function write(tab: Tab, text: string): Promise<void> {
    await until(tab.page, `document.querySelector("#hits textarea") !== null`);
    await tab.page.evaluate(`document.querySelector("#hits textarea").value = ${JSON.stringify(text)}`);
    await click(tab, "#hits .save");
  }
  const finds = (tab: Tab, text: string): Promise<unknown> => until(tab.page, `${FIRST} === ${JSON.stringify(text)}`);

  for (const { name, lexical, question, other } of [
    {
      name: "the sentence model",
      lexical: false,
      question: "a hot drink for the morning",
      other: "where can I put my vehicle",
    },
    { name: "the lexical embedder", lexical: true, question: "freshly ground coffee", other: "parking behind the house" },
  ]) {
    const origin = served(lexical);
    it(`finds, filters, edits, deletes and keeps, in all tabs, with ${name}`, async () => {
      const context = await browser().newContext();
      const one = await opened(context, origin());
      await until(one.page, `/^20 of 36 documents/.test(figures.textContent)`);
      expect(await one.page.evaluate(`place.textContent`)).toMatch(
        lexical ? /OPFS folder .*this tab has it open.*wording/ : /OPFS folder .*this tab has it open.*meaning/,
      );
      const coffee = "Coffee: pour water just off the boil over freshly ground beans and wait four minutes.";
      await click(one, "#add");
      await write(one, coffee);
      await type(one, question);
      await finds(one, coffee);
      await until(one.page, `/ms to embed the question/.test(figures.textContent)`);

      const two = await opened(context, origin());
      await until(two.page, `/another tab has it open/.test(place.textContent)`);
      await type(two, question);
      await finds(two, coffee);
      await two.page.evaluate(`(window["package"].value = "my notes", window["package"].dispatchEvent(new Event("change")))`);
      await until(two.page, `/^1 of 1 documents/.test(figures.textContent)`);

      // What one tab edits the other finds.
      const parking = "Parking: the gate behind the house opens with a code, leave the car on the left.";
      await click(two, "#hits .edit");
      await write(two, parking);
      await finds(two, parking);
      await type(one, other);
      await finds(one, parking);
      await click(one, "#hits .delete");
      await until(one.page, `!undo.hidden && ${FIRST} !== ${JSON.stringify(parking)}`);
      await click(one, "#undo button");
      await finds(one, parking);

      // The tab that has the documents open is closed, and the other goes on; a reload finds all as it was.
      expect(one.errors).toEqual([]);
      await one.page.close();
      await two.page.goto(origin());
      await until(two.page, `document.documentElement.dataset.ready && /this tab has it open/.test(place.textContent)`);
      await type(two, other);
      await finds(two, parking);
      await click(two, "#restart");
      await until(two.page, `${FIRST} && ${FIRST} !== ${JSON.stringify(parking)} && filling.hidden`);
      expect(two.errors).toEqual([]);
      await context.close();
    });
  }
});
