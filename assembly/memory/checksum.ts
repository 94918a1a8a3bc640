// XXH64 (Collet, xxhash.com, "XXH64 algorithm description"), seed 0, over pieces: every piece but the last is a
// multiple of 32 bytes.
import { HASH, HASH_BYTES, here } from "./arena";

const P1: u64 = 0x9E3779B185EBCA87;
const P2: u64 = 0xC2B2AE3D27D4EB4F;
const P3: u64 = 0x165667B19E3779F9;
const P4: u64 = 0x85EBCA77C2B2AE63;
const P5: u64 = 0x27D4EB2F165667C5;

@unmanaged class Hash {
  a: u64;
  b: u64;
  c: u64;
  d: u64;
  total: u64;
  tail: u32; // address of the last piece's rest, fewer than 32 bytes
}
if (offsetof<Hash>() > HASH_BYTES) ERROR("Hash has outgrown HASH_BYTES of assembly/memory/arena.ts");

@inline function hash(): Hash { return changetype<Hash>(HASH + here()); }
@inline function round(acc: u64, lane: u64): u64 { return rotl(acc + lane * P2, 31) * P1; }
@inline function merge(h: u64, acc: u64): u64 { return (h ^ round(0, acc)) * P1 + P4; }

export function checksumStart(): void {
  const h = hash();
  h.a = P1 + P2;
  h.b = P2;
  h.c = 0;
  h.d = 0 - P1;
  h.total = 0;
  h.tail = 0;
}

export function checksumAdd(p: usize, bytes: usize): void {
  const h = hash();
  let a = h.a, b = h.b, c = h.c, d = h.d;
  const end = p + (bytes & ~31);
  for (; p < end; p += 32) {
    a = round(a, load<u64>(p));
    b = round(b, load<u64>(p, 8));
    c = round(c, load<u64>(p, 16));
    d = round(d, load<u64>(p, 24));
  }
  h.a = a; h.b = b; h.c = c; h.d = d;
  h.total += bytes;
  h.tail = <u32>p;
}

export function checksumEnd(): u64 {
  const s = hash();
  let h: u64;
  if (s.total >= 32) {
    h = rotl(s.a, 1) + rotl(s.b, 7) + rotl(s.c, 12) + rotl(s.d, 18);
    h = merge(merge(merge(merge(h, s.a), s.b), s.c), s.d);
  } else h = P5;
  h += s.total;
  let p: usize = s.tail;
  let rest = <u32>s.total & 31;
  for (; rest >= 8; rest -= 8, p += 8) h = rotl(h ^ round(0, load<u64>(p)), 27) * P1 + P4;
  if (rest >= 4) {
    h = rotl(h ^ (<u64>load<u32>(p) * P1), 23) * P2 + P3;
    rest -= 4;
    p += 4;
  }
  for (; rest > 0; rest--, p++) h = rotl(h ^ (<u64>load<u8>(p) * P5), 11) * P1;
  h = (h ^ h >> 33) * P2;
  h = (h ^ h >> 29) * P3;
  return h ^ h >> 32;
}
