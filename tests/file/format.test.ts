// A file read piece by piece, as over a network: first the header, then the table, then section after section, without an index.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  HEADER_BYTES,
  headEnd,
  headOf,
  isSealed,
  placed,
  presentSections,
  readHead,
  readStat,
  sectionIn,
} from "../../src/file/format.js";
import { CODEC_NAMES, KIND_NAMES } from "../../src/words/kinds.js";
import { xxh64 } from "../support/vic.js";

const folder = fileURLToPath(new URL("golden/", import.meta.url));

describe.each(readdirSync(folder).filter((name) => name.endsWith(".vic")))("%s", (name) => {
  // A Buffer, as files and sockets give them: no call may change it.
  const file = readFileSync(folder + name);
  const end = headEnd(file.subarray(0, HEADER_BYTES), file.length);
  const start = file.subarray(0, end);
  const head = readHead(start, file.length);

  it("says in its first bytes what it is and where everything lies", () => {
    expect(isSealed(start, head, xxh64)).toBe(true);
    for (const section of head.sections) expect(xxh64(sectionIn(file, section)), section.tag).toBe(section.checksum);
    const state = readStat(head, sectionIn(file, head.sections[0]), file.length);
    expect(file.equals(readFileSync(folder + name))).toBe(true);
    const [version, kind, codec] = name.slice(0, -4).split("-");
    expect([`v${head.version}`, KIND_NAMES[state.kind], CODEC_NAMES[state.codec]]).toEqual([version, kind, codec]);
    expect(presentSections(head).every(({ bytes }) => bytes > 0)).toBe(head.slots > 0);
  });

  it("is refused where a byte of its header is another, by its places or by its checksum", () => {
    for (let at = 0; at < end; at += 5) {
      const changed = new Uint8Array(start);
      changed[at] ^= 64;
      const believed = (): boolean => isSealed(changed, readHead(changed, file.length), xxh64);
      try {
        expect(believed()).toBe(false);
      } catch (error) {
        expect(error).toMatchObject({ code: "BAD_FILE" });
      }
    }
  });

  if (head.version === 1) return;
  it("has the header that is written anew", () => {
    const { sections, slots, records } = head;
    const state = readStat(head, sectionIn(file, sections[0]), file.length);
    const again = placed(sections).map((section, i) => ({ ...section, checksum: sections[i].checksum }));
    expect(again).toEqual(sections);
    expect(headOf(state, slots, records, again, file.length, xxh64)).toEqual(new Uint8Array(start));
  });
});
