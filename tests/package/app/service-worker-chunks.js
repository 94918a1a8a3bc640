// The entry in chunks, which a service worker may not import.
import * as vicinal from "vicinal";
import { everything } from "./everything.js";

async function answered() {
  const bare = await vicinal.Flat.create({ dimensions: 2 }).catch(({ name, code, message }) => ({ name, code, message }));
  const wasm = await fetch("/node_modules/vicinal/dist/wasm/simd.wasm");
  await vicinal.init({ module: await WebAssembly.compileStreaming(wasm) });
  return { bare, ...(await everything(vicinal)) };
}

self.addEventListener("message", ({ ports: [port] }) => answered().then((answer) => port.postMessage(answer)));
