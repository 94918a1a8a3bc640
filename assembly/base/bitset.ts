// One bit per slot or id, least significant first. Also the walk's visited set: cleared for each walk, it is 1/8 byte
// per node and stays in L1 where an array of epochs would not.

@inline export function bitsetBytes(bits: u32): usize { return (<usize>bits + 63) >> 6 << 3; }

@inline export function hasBit(set: usize, i: u32): bool { return (load<u8>(set + (i >> 3)) >> (i & 7) & 1) != 0; }

@inline export function setBit(set: usize, i: u32): void {
  const p = set + (i >> 3);
  store<u8>(p, <u8>(<u32>load<u8>(p) | 1 << (i & 7)));
}

@inline export function clearBit(set: usize, i: u32): void {
  const p = set + (i >> 3);
  store<u8>(p, <u8>(<u32>load<u8>(p) & ~(1 << (i & 7))));
}

/** Sets the bit; true if it was set before. */
@inline export function testAndSet(set: usize, i: u32): bool {
  const p = set + (i >> 3);
  const byte = <u32>load<u8>(p);
  const bit: u32 = 1 << (i & 7);
  store<u8>(p, <u8>(byte | bit));
  return (byte & bit) != 0;
}
