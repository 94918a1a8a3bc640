// Tables whose size the options fix: centroids, codebooks, rotations. Each is one piece of memory and one file section,
// taken when the index is opened.
import { BLOBS, alloc } from "./arena";

const MAX_BLOBS: u32 = 7;

@unmanaged class Blobs {
  count: u32;
}

@unmanaged export class Blob {
  tag: u32;     // four ASCII letters
  address: u32;
  bytes: u32;
  pad: u32;
}

@inline export function blobCount(): u32 { return changetype<Blobs>(BLOBS).count; }
@inline export function blob(i: u32): Blob { return changetype<Blob>(BLOBS + 16 + i * offsetof<Blob>()); }

/** Takes and clears a table; 0 where memory cannot grow. */
export function addBlob(tag: u32, bytes: usize): usize {
  const i = changetype<Blobs>(BLOBS).count++;
  assert(i < MAX_BLOBS);
  const address = alloc(bytes);
  if (!address) return 0;
  memory.fill(address, 0, bytes);
  const b = blob(i);
  b.tag = tag;
  b.address = <u32>address;
  b.bytes = <u32>bytes;
  return address;
}
