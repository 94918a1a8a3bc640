// Tables whose size the options fix: centroids, codebooks, rotations. Each is one piece of memory and one file section,
// taken when the index is opened.
import { CHECKED } from "../base/codes";
import { BLOBS, BLOBS_BYTES, alloc } from "./arena";

const HEAD_BYTES: usize = 16;
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
if (HEAD_BYTES + MAX_BLOBS * offsetof<Blob>() > BLOBS_BYTES) ERROR("MAX_BLOBS tables have outgrown BLOBS_BYTES of assembly/memory/arena.ts");

@inline export function blobCount(): u32 { return changetype<Blobs>(BLOBS).count; }
@inline export function blob(i: u32): Blob {
  if (CHECKED) assert(i < blobCount());
  return changetype<Blob>(BLOBS + HEAD_BYTES + i * offsetof<Blob>());
}

/** Takes and clears a table; 0 where memory cannot grow. */
export function addBlob(tag: u32, bytes: usize): usize {
  const i = changetype<Blobs>(BLOBS).count++;
  if (CHECKED) assert(i < MAX_BLOBS);
  const address = alloc(bytes);
  if (!address) return 0;
  memory.fill(address, 0, bytes);
  const b = blob(i);
  b.tag = tag;
  b.address = <u32>address;
  b.bytes = <u32>bytes;
  return address;
}
