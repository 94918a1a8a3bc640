// Real data sets, where VICINAL_DATA says the folder that has them, or, where CI=true, one beside the repository has. They are not part
// of it, and take minutes.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { THOROUGH } from "./thorough.js";

const beside = fileURLToPath(new URL("../../../shared/data", import.meta.url));
const folder = process.env.VICINAL_DATA ?? (THOROUGH ? beside : "");

export function haveData(set: string): boolean {
  return folder !== "" && existsSync(join(folder, set));
}

/** The rows of an .fvecs, .bvecs or .ivecs file, also .gz: each a 4-byte length, then values. */
export function vecs(set: string, name: string): Float32Array[] {
  const raw = readFileSync(join(folder, set, name));
  const bytes = name.endsWith(".gz") ? gunzipSync(raw) : raw;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, read] = /\.b/.test(name)
    ? [1, (at: number) => view.getUint8(at)]
    : /\.f/.test(name)
      ? [4, (at: number) => view.getFloat32(at, true)]
      : [4, (at: number) => view.getInt32(at, true)];
  const d = view.getInt32(0, true);
  const stride = 4 + d * width;
  return Array.from({ length: bytes.length / stride }, (_, i) =>
    Float32Array.from({ length: d }, (_, j) => read(i * stride + 4 + j * width)),
  );
}
