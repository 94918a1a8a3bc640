// Arrays that callers may keep and hand on: each has a buffer of its own. TypeScript calls them Uint8Array<ArrayBuffer> from 5.7 on,
// and cannot read that before; what `of` returns is the right name in each.
export type Bytes = ReturnType<Uint8ArrayConstructor["of"]>;
export type Ids = ReturnType<Uint32ArrayConstructor["of"]>;
export type Floats = ReturnType<Float32ArrayConstructor["of"]>;
