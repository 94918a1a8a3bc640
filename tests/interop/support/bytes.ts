// Little-endian bytes put one after the other, for writers of other libraries' files.

export class Writer {
  readonly #parts: Uint8Array[] = [];

  #number(bytes: number, put: (view: DataView) => void): this {
    const part = new Uint8Array(bytes);
    put(new DataView(part.buffer));
    return this.bytes(part);
  }

  u8 = (value: number): this => this.#number(1, (view) => view.setUint8(0, value));
  u16 = (value: number): this => this.#number(2, (view) => view.setUint16(0, value, true));
  u32 = (value: number): this => this.#number(4, (view) => view.setUint32(0, value, true));
  u64 = (value: number | bigint): this => this.#number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  f32 = (value: number): this => this.#number(4, (view) => view.setFloat32(0, value, true));
  f64 = (value: number): this => this.#number(8, (view) => view.setFloat64(0, value, true));
  text = (value: string): this => this.bytes(Uint8Array.from(value, (letter) => letter.charCodeAt(0)));
  floats = (values: ArrayLike<number>): this => this.bytes(new Uint8Array(Float32Array.from(values).buffer));
  zeros = (count: number): this => this.bytes(new Uint8Array(count));

  bytes(part: Uint8Array): this {
    this.#parts.push(part);
    return this;
  }

  done(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}
