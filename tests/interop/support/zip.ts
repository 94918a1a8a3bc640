// Zips as numpy writes them, after PKWARE's APPNOTE: stored or deflated, with sizes in 32 or, in zip64, 64 bits.
import { deflateRawSync } from "node:zlib";
import { Writer } from "./bytes.js";

export interface Zipping {
  readonly deflate?: boolean;
  readonly wide?: boolean;
}

/** No checksums of content: readers of arrays look at none. */
export function zip(entries: Readonly<Record<string, Uint8Array>>, { deflate = false, wide = false }: Zipping = {}): Uint8Array {
  const w = new Writer();
  const central = new Writer();
  let at = 0;
  for (const [name, bytes] of Object.entries(entries)) {
    const packed = deflate ? deflateRawSync(bytes) : bytes;
    const method = deflate ? 8 : 0;
    const ones = 0xffffffff;
    const extra = (offset: boolean): Uint8Array => {
      const field = new Writer()
        .u16(1)
        .u16(offset ? 24 : 16)
        .u64(bytes.length)
        .u64(packed.length);
      return wide ? (offset ? field.u64(at) : field).done() : new Uint8Array();
    };
    const sizes = (out: Writer): Writer =>
      out
        .u32(0)
        .u32(wide ? ones : packed.length)
        .u32(wide ? ones : bytes.length);
    const local = new Writer().u32(0x04034b50).u16(45).u16(0).u16(method).u16(0).u16(0);
    sizes(local).u16(name.length).u16(extra(false).length).text(name).bytes(extra(false)).bytes(packed);
    central.u32(0x02014b50).u16(45).u16(45).u16(0).u16(method).u16(0).u16(0);
    sizes(central).u16(name.length).u16(extra(true).length).u16(0).u16(0).u16(0).u32(0);
    central
      .u32(wide ? ones : at)
      .text(name)
      .bytes(extra(true));
    const whole = local.done();
    w.bytes(whole);
    at += whole.length;
  }
  const directory = central.done();
  const count = Object.keys(entries).length;
  w.bytes(directory);
  if (wide) {
    w.u32(0x06064b50).u64(44).u16(45).u16(45).u32(0).u32(0).u64(count).u64(count).u64(directory.length).u64(at);
    w.u32(0x07064b50)
      .u32(0)
      .u64(at + directory.length)
      .u32(1);
  }
  w.u32(0x06054b50)
    .u16(0)
    .u16(0)
    .u16(count)
    .u16(count)
    .u32(directory.length)
    .u32(wide ? 0xffffffff : at)
    .u16(0);
  return w.done();
}
