// AssemblyScript in a string to the exports of its instance, over a memory or none.
import asc from "assemblyscript/asc";

export async function compileSource(source, enable, memory = new WebAssembly.Memory({ initial: 1 })) {
  const { binary, error, stderr } = await asc.compileString(source, {
    optimizeLevel: 3,
    runtime: "stub",
    importMemory: true,
    enable,
    use: ["abort="],
  });
  if (error) throw new Error(`${error.message}\n${stderr}`);
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  return instance.exports;
}
